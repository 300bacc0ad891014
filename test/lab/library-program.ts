/**
 * A program with a host of its own inside a tunnel: what `test/e2e/library.test.ts` runs.
 *
 * Reads `{ config, target, bytes }` as JSON from standard input, talks to the host behind the tunnel, prints one JSON line with
 * what came of it, and then serves one connection of that host on port 8080.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';

import { openTunnel } from '../../src/rootless/open-tunnel.js';
import type { PingReply } from '../../src/rootless/ping.js';

const { config, target, bytes } = JSON.parse(await text(process.stdin)) as {
  config: string;
  target: string;
  bytes: number;
};

const tunnel = await openTunnel(config);
const { roundTripMs } = await pingUntilAnswered();
const data = randomBytes(bytes);
const up = tunnel.connect({ host: target, port: 9_000, allowHalfOpen: true });
up.end(data);
const hashOfUpload = (await buffer(up)).toString().trim();
const download = await buffer(tunnel.connect({ host: target, port: 9_001 }));
const refused = tunnel.connect({ host: target, port: 9 });
const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];

const server = tunnel.createServer((socket) => {
  socket.end('from inside');
  server.close();
  socket.once('close', () => void tunnel.close());
});
server.listen(8_080);
await once(server, 'listening');
const result = {
  isPingAnswered: roundTripMs > 0,
  isUploadWhole: hashOfUpload === hash(data),
  hashOfDownload: hash(download),
  refused: error.code,
};
process.stdout.write(`${JSON.stringify(result)}\n`);

/** A ping may be lost on the way. */
async function pingUntilAnswered(): Promise<PingReply> {
  for (;;) {
    const reply = await tunnel.ping(target, { timeoutMs: 1_000 }).catch(() => undefined);
    if (reply !== undefined) return reply;
  }
}

function hash(of: Uint8Array): string {
  return createHash('sha256').update(of).digest('hex');
}

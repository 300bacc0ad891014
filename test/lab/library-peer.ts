/**
 * A program with a host inside a tunnel that serves whatever a peer tries: what `test/e2e/library-peers.test.ts` runs.
 *
 * `node library-peer.js CONFIG KERNEL-HOST`. Ports: 80 HTTP (GET `/BYTES` sends as many, all else gets a hash), 9000 echo,
 * 9001 a hash of what came, after the peer's FIN, 9002 resets after the first byte, 9003 reports how its connections end. Port
 * 5201 of this machine leads to iperf3 of the kernel host. Each line of standard input is a command, and each line of output
 * what came of it, as JSON.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';

import { openTunnel } from '../../src/rootless/open-tunnel.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';

const [config = '', kernelHost = ''] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const web = http.createServer(async (request, response) => {
  if (request.method !== 'GET') response.end(hash(await buffer(request)));
  else response.end(Buffer.alloc(Number(request.url!.slice(1)), 'wiretype'));
});
const halfOpen = { allowHalfOpen: true };
for (const [port, handler] of [
  [80, (socket: TunnelSocket) => web.emit('connection', socket)],
  [9_000, (socket: TunnelSocket) => socket.on('error', () => {}).pipe(socket)],
  [9_001, answerWithHash],
  [9_002, (socket: TunnelSocket) => socket.once('data', () => socket.resetAndDestroy())],
  [9_003, (socket: TunnelSocket) => void howItEnds(socket).then(report)],
] as const)
  await once(tunnel.createServer(halfOpen, handler).listen(port), 'listening');
// The peer learns where the program is. A ping may be lost.
while (!(await tunnel.ping(kernelHost, { timeoutMs: 1_000 }).catch(() => false)));
await tunnel.forward('127.0.0.1:5201', `${kernelHost}:5201`);
report('ready');

const COMMANDS: Readonly<Record<string, (port: number) => Promise<unknown>>> = {
  /** Opens a thousand connections to an echo server, and uses all of them at once. */
  thousand: async (port) => {
    const sockets = Array.from({ length: 1_000 }, () => tunnel.connect({ host: kernelHost, port }));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const answers = await Promise.all(
      sockets.map(async (socket, i) => {
        socket.end(`number ${i}`);
        return (await buffer(socket)).toString() === `number ${i}`;
      }),
    );
    return answers.filter(Boolean).length;
  },
  /** Connects, and reports how the connection ends. */
  connect: async (port) => await howItEnds(tunnel.connect({ host: kernelHost, port })),
  reset: async (port) => {
    const socket = tunnel.connect({ host: kernelHost, port });
    await once(socket, 'connect');
    socket.resetAndDestroy();
    return 'done';
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const [command = '', port = ''] = line.split(' ');
  void COMMANDS[command]!(Number(port)).then(report);
}
await tunnel.close();

/** A loop over the socket, as in `buffer`, would destroy it at the end. */
function answerWithHash(socket: TunnelSocket): void {
  const sum = createHash('sha256');
  socket.on('data', (part) => sum.update(part)).on('end', () => socket.end(sum.digest('hex')));
}

async function howItEnds(socket: TunnelSocket): Promise<string> {
  let end = 'end';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = `${error.syscall} ${error.code}`;
  });
  socket.on('end', () => socket.end()).resume();
  await new Promise((resolve) => socket.once('close', resolve));
  return end;
}

function report(what: unknown): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * One end of a TCP stream of random bytes that goes on until its sender is told to end it:
 * `node stream.js listen ADDRESS PORT` and `node stream.js send ADDRESS PORT`.
 *
 * The listener says "listening". The sender ends the stream when it is told a line. Both end with a line of how many
 * bytes there were, and their SHA-256.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const SOURCE_BYTES = 1 << 20;
const CHUNK_BYTES = 64_000;
/** Odd, so that chunks that were swapped or repeated are seen. */
const STEP_BYTES = 4_099;

const [role, address = '', port = ''] = process.argv.slice(2);
const hash = createHash('sha256');
let bytes = 0;
await (role === 'listen' ? receive() : send());
process.stdout.write(`${bytes} ${hash.digest('hex')}\n`);

async function receive(): Promise<void> {
  const server = createServer().listen(Number(port), address);
  await once(server, 'listening');
  process.stdout.write('listening\n');
  const [socket]: Socket[] = await once(server, 'connection');
  server.close();
  for await (const chunk of socket!) count(chunk);
}

async function send(): Promise<void> {
  let isEnding = false;
  process.stdin.once('data', () => {
    isEnding = true;
    process.stdin.destroy();
  });
  const socket = connect(Number(port), address);
  await once(socket, 'connect');
  const source = randomBytes(SOURCE_BYTES);
  for (let at = 0; !isEnding; at = (at + STEP_BYTES) % (SOURCE_BYTES - CHUNK_BYTES)) {
    const chunk = source.subarray(at, at + CHUNK_BYTES);
    count(chunk);
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'close');
}

function count(chunk: Uint8Array): void {
  hash.update(chunk);
  bytes += chunk.length;
}

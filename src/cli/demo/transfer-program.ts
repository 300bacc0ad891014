/**
 * Both ends of a TCP transfer, run inside the demo's namespaces.
 *
 *     node transfer-program.js receive PORT                          prints the bytes so far, twice a second
 *     node transfer-program.js send ADDRESS PORT SECONDS RATE        SECONDS 0: for ever; RATE in bytes per second, 0: all it can
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const CHUNK = Buffer.alloc(128 * 1_024, 'wiretype ');
const REPORT_INTERVAL_MS = 500;

const [role, ...args] = process.argv.slice(2);
if (role === 'receive') receive(Number(args[0]));
else if (role === 'send') await send(args[0]!, Number(args[1]), Number(args[2]), Number(args[3]));

/** Accepts one connection, and ends with it. */
function receive(port: number): void {
  const server = createServer((socket) => {
    server.close();
    countBytes(socket);
  });
  server.listen(port, () => process.stdout.write('listening\n'));
}

function countBytes(socket: Socket): void {
  let bytes = 0;
  const report = () => process.stdout.write(`${bytes}\n`);
  const timer = setInterval(report, REPORT_INTERVAL_MS);
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.on('close', () => {
    clearInterval(timer);
    report();
  });
  socket.on('error', () => {}); // "close" follows
}

/** Prints how many bytes it sent, once all of them have reached the other side. */
async function send(address: string, port: number, seconds: number, rate: number): Promise<void> {
  const socket = connect(port, address);
  await once(socket, 'connect');
  const start = performance.now();
  let bytes = 0;
  while (seconds === 0 || performance.now() - start < seconds * 1_000) {
    bytes += CHUNK.length;
    if (!socket.write(CHUNK)) await once(socket, 'drain');
    if (rate > 0) await sleep(Math.max(0, start + (bytes / rate) * 1_000 - performance.now()));
  }
  socket.end();
  await once(socket, 'close');
  process.stdout.write(`${bytes}\n`);
}

/**
 * A program that uses TCP connections, of which the benchmarks measure time, memory and processor time.
 *
 *     node rootless-client.js WAY from|to ADDRESS PORT SECONDS      moves bytes over one connection, then idles
 *     node rootless-client.js WAY requests ADDRESS PORT COUNT PARALLEL
 *     node rootless-client.js WAY hold ADDRESS PORT FEW MANY        with --expose-gc
 *
 * WAY is `library:FILE` for a tunnel inside this process, `system` for the sockets of the system, or `socks:PORT` for a
 * SOCKS5 proxy on this host.
 */
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';

import { quantile } from '../statistics.js';
import { type Connect, connectBy } from './connect.js';

const CHUNK_BYTES = 128 * 1024;
/** Not counted: code is compiled and buffers grow meanwhile. */
const WARM_UP_MS = 1_000;
const CONNECTING_AT_ONCE = 200;

const [way = '', action = '', address = '', port = '', ...numbers] = process.argv.slice(2);
const [first = 0, second = 0] = numbers.map(Number);
const connect = await connectBy(way, address, Number(port));
switch (action) {
  case 'from':
    await moveBytes(await connect(), first, write);
    break;
  case 'to':
    await moveBytes(await connect(), first, read);
    break;
  case 'requests':
    say(JSON.stringify(await request(connect, first, second)));
    stay();
    break;
  case 'hold':
    await hold(connect, [first, second]);
    break;
  default:
    throw new TypeError(`there is no action ${action}`);
}

/** Prints "begin" after the warm-up and "end BYTES SECONDS"; the process stays, so that its figures can be read. */
async function moveBytes(
  socket: Duplex,
  seconds: number,
  move: (socket: Duplex, count: (bytes: number) => void) => void,
): Promise<void> {
  let bytes = 0;
  move(socket, (more) => {
    bytes += more;
  });
  await pause(WARM_UP_MS);
  const [beginMs, before] = [performance.now(), bytes];
  say('begin');
  await pause(seconds * 1_000);
  say(`end ${bytes - before} ${(performance.now() - beginMs) / 1_000}`);
  socket.destroy();
  stay();
}

/** Keeps the process until it is ended from outside. */
function stay(): void {
  setInterval(() => {}, 2 ** 30);
}

function write(socket: Duplex, count: (bytes: number) => void): void {
  const chunk = Buffer.alloc(CHUNK_BYTES, 7);
  const fill = (): void => {
    for (let takesMore = !socket.destroyed; takesMore; ) {
      takesMore = socket.write(chunk);
      count(chunk.length);
    }
  };
  socket.on('drain', fill);
  fill();
}

function read(socket: Duplex, count: (bytes: number) => void): void {
  socket.on('data', (chunk: Buffer) => count(chunk.length));
}

/** Prints "begin" after a first request, then makes requests over a connection each, `parallel` at a time. */
async function request(open: Connect, total: number, parallel: number): Promise<object> {
  await fetchPage(await open()); // the first one waits for the WireGuard handshake
  say('begin');
  const timesMs: number[] = [];
  let started = 0;
  const startMs = performance.now();
  const worker = async (): Promise<void> => {
    while (started++ < total) {
      const sinceMs = performance.now();
      await fetchPage(await open());
      timesMs.push(performance.now() - sinceMs);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const perSecond = (total * 1_000) / (performance.now() - startMs);
  return { perSecond, medianMs: quantile(timesMs, 0.5), slowMs: quantile(timesMs, 0.99) };
}

async function fetchPage(socket: Duplex): Promise<void> {
  socket.write('GET / HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n');
  let page = '';
  for await (const chunk of socket.setEncoding('latin1')) page += chunk;
  if (!/^HTTP\/1\.1 200 .*\r\n\r\n\.{512}$/s.test(page)) throw new Error(`that is no page: ${page.slice(0, 100)}`);
}

/** Opens connections up to each of `counts`, in turn, prints "holding COUNT", and waits for a line on standard input. */
async function hold(open: Connect, counts: readonly number[]): Promise<void> {
  const sockets: Duplex[] = [];
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (const count of counts) {
    while (sockets.length < count) {
      const length = Math.min(CONNECTING_AT_ONCE, count - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length }, open))));
    }
    globalThis.gc?.();
    say(`holding ${count}`);
    await lines.next();
  }
  process.exit(sockets.every(({ destroyed }) => !destroyed) ? 0 : 1);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Records what a socket did, in order, without what differs from run to run. */
import type { Socket } from 'node:net';

export type Trace = string[];

/** Traced sockets whose `close` came. */
const over = new WeakSet<Socket>();

/** Writes down every event of a socket. Several pieces of data in a row are one line. */
export function traceSocket(socket: Socket, { reads = true } = {}): Trace {
  const trace: Trace = [];
  const note = (line: string): void => {
    if (line !== trace.at(-1) || !line.startsWith('data')) trace.push(line);
  };
  socket.on('connect', () => note(`connect ${socket.readyState} ${socket.connecting} ${socket.pending}`));
  for (const name of ['ready', 'timeout', 'finish'] as const) socket.on(name, () => note(name));
  if (reads) socket.on('data', (part: Buffer | string) => note(`data ${typeof part}`));
  socket.on('end', () => note(`end after ${socket.bytesRead}`));
  socket.on('error', (error: NodeJS.ErrnoException) => note(`error ${describeError(error)}`));
  socket.on('close', (hadError) => {
    over.add(socket);
    note(`close ${hadError} ${socket.readyState} ${socket.destroyed}`);
  });
  return trace;
}

/** The part of an error that programs decide by. */
export function describeError(error: NodeJS.ErrnoException | null | undefined): string {
  if (error === null || error === undefined) return 'none';
  return [error.code ?? error.name, error.syscall].filter(Boolean).join(' ');
}

/** Waits for the ends of sockets that are traced. */
export async function closed(...sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => over.has(socket) || new Promise((done) => socket.once('close', done))));
}

import { lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

import type { ExitServer, ExitStream } from '../exit.js';

/** Bits that a socket file lacks, so that its owner alone may connect: mode 0600. */
const OWNER_ONLY_UMASK = 0o177;

/**
 * Listens on the path of a UNIX socket that its owner alone may use. The file that an ended program left there is replaced; the
 * socket of a running program is not.
 *
 * @throws EADDRINUSE if a program listens there, or the path is no socket; other errors of the system
 */
export async function listenOnPath(path: string, onConnection: (stream: ExitStream) => void): Promise<ExitServer> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  try {
    await bind(server, path);
  } catch (error) {
    if (!isCode(error, 'EADDRINUSE') || !(await isStale(path))) throw error;
    unlinkSync(path);
    await bind(server, path);
  }
  return { address: path, port: 0, close: () => void server.close() };
}

/** Connects to the UNIX socket of another program. */
export function connectToPath(path: string, signal: AbortSignal): Promise<ExitStream> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const abort = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      socket.removeListener('error', reject);
      resolve(socket);
    });
    if (signal.aborted) abort();
  });
}

/** The file is created within `listen`, so no other code runs with the umask. */
function bind(server: Server, path: string): Promise<void> {
  const before = process.umask(OWNER_ONLY_UMASK);
  try {
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(before);
  }
}

/** Tests whether nobody listens at a socket file any more. */
function isStale(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe: Socket = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve(isCode(error, 'ECONNREFUSED')));
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

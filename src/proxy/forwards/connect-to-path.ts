import { connect } from 'node:net';

import type { ExitStream } from '../exit.js';

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

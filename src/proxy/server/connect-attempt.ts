import type { Duplex } from 'node:stream';

/** The time for a lookup and a connection together. */
const CONNECT_MS = 30_000;

/**
 * Runs an attempt to connect, which ends at the latest after half a minute, or when the client that wants it is gone.
 *
 * A target that never answers therefore holds nothing that belongs to a client that has given up.
 */
export async function attemptFor<Value>(client: Duplex, open: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const abort = new AbortController();
  const giveUp = (): void => abort.abort(codeError('ECANCELED', 'the client is gone'));
  const timer = setTimeout(() => abort.abort(codeError('ETIMEDOUT', 'connect ETIMEDOUT')), CONNECT_MS);
  timer.unref();
  client.once('close', giveUp);
  if (client.destroyed) giveUp();
  try {
    return await open(abort.signal);
  } finally {
    clearTimeout(timer);
    client.removeListener('close', giveUp);
  }
}

function codeError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, syscall: 'connect' });
}

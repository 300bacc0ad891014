import type { Duplex } from 'node:stream';

import { WireGuardError } from '../../core/errors.js';
import type { Destination } from '../../proxy/exit.js';
import type { Router } from '../../proxy/rules/router.js';
import { joinStreams, resetStream } from '../../rootless/join-streams.js';

/**
 * Connects a stream with a port inside of the tunnel, until both directions have ended or the signal is aborted.
 *
 * @returns Exit status: 1 if the connection broke.
 * @throws {WireGuardError} ERR_NO_CONNECTION
 */
export async function carryStdio(
  openStream: () => Duplex,
  to: Destination,
  router: Router,
  signal: AbortSignal,
): Promise<number> {
  const remote = await connect(router, to, signal);
  const stream = openStream();
  let isBroken = false;
  for (const end of [stream, remote])
    end.on('error', () => {
      isBroken = true;
    });
  const ended = Promise.all([stream, remote].map(closed));
  joinStreams(stream, remote);
  signal.addEventListener('abort', () => [stream, remote].forEach(resetStream), { once: true });
  await ended;
  return isBroken ? 1 : 0;
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

async function connect(router: Router, to: Destination, signal: AbortSignal) {
  try {
    return await router.connect(to, signal);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new WireGuardError('ERR_NO_CONNECTION', error.message, { cause: error });
  }
}

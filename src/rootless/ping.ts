import { randomFillSync } from 'node:crypto';

import { parseIpAddress } from '../control/ip-text.js';
import { addressEquals, addressWords } from '../netstack/address.js';
import { socketError } from './socket-error.js';
import type { SocketHost } from './socket-host.js';

export interface PingOptions {
  /** Default: 5,000. */
  readonly timeoutMs?: number;
  /** Bytes of payload. Default: 56. */
  readonly size?: number;
  readonly signal?: AbortSignal;
}

/** The reply to a ping. */
export interface PingReply {
  readonly address: string;
  readonly roundTripMs: number;
}

/** Sends one echo request and waits for its reply. @throws ETIMEDOUT, EADDRNOTAVAIL, or the reason of `signal`. */
export async function ping(host: SocketHost, target: string, options: PingOptions = {}): Promise<PingReply> {
  const { timeoutMs = 5_000, size = 56, signal } = options;
  signal?.throwIfAborted();
  const [found] = await host.lookup(target);
  signal?.throwIfAborted();
  const remote = addressWords(parseIpAddress(found!.address)!);
  const source = host.loop.stack.sourceFor(remote);
  if (source === undefined) throw socketError('EADDRNOTAVAIL', 'ping', found!.address, 0);
  const startMs = performance.now();
  return await new Promise((resolve, reject) => {
    const finish = (done: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      if (identifier !== undefined) host.loop.closeEcho(identifier);
      host.unref();
      done();
    };
    const abort = (): void => finish(() => reject(signal!.reason as Error));
    const timer = setTimeout(
      () => finish(() => reject(socketError('ETIMEDOUT', 'ping', found!.address, 0))),
      timeoutMs,
    );
    signal?.addEventListener('abort', abort, { once: true });
    host.ref();
    const identifier = host.loop.openEcho(({ from }) => {
      if (!addressEquals(from, 0, remote, 0)) return;
      finish(() => resolve({ address: found!.address, roundTripMs: performance.now() - startMs }));
    });
    if (identifier === undefined) {
      finish(() => reject(socketError('EADDRNOTAVAIL', 'ping', found!.address, 0)));
      return;
    }
    host.loop.stack.icmp.ping(source, remote, identifier, 1, randomFillSync(new Uint8Array(size)));
    host.loop.wake();
  });
}

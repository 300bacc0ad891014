import type { DuplexOptions } from 'node:stream';

const HIGH_WATER_MARK = 65_536;

/** The options of `net.Socket` that mean something without a handle of the system. */
export interface TunnelSocketOptions {
  /** Keep the writing side open when the peer ends. Default: end it, too. */
  readonly allowHalfOpen?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  /** Milliseconds. */
  readonly keepAliveInitialDelay?: number | undefined;
  readonly highWaterMark?: number | undefined;
}

/** Returns the options of the stream behind a socket. */
export function streamOptions({
  allowHalfOpen = false,
  highWaterMark = HIGH_WATER_MARK,
  signal,
}: TunnelSocketOptions): DuplexOptions {
  // `close` carries whether there was an error, as with net.Socket: _destroy emits it.
  const options: DuplexOptions = { allowHalfOpen, highWaterMark, emitClose: false, autoDestroy: true };
  return signal === undefined ? options : { ...options, signal };
}

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** Counts the bytes of two joined streams. */
export interface StreamTraffic {
  /** @param isFromFirst Whether the bytes came from the first of the two streams. */
  count(bytes: number, isFromFirst: boolean): void;
}

/**
 * Carries bytes both ways, each way by itself: the end of one does not end the other, however long that one takes.
 *
 * An end is carried as an end, a reset or any other failure as a reset. A stream that is slow to take bytes pauses the other,
 * so at most the buffers of the two are in memory.
 */
export function joinStreams(first: Duplex, second: Duplex, traffic?: StreamTraffic): void {
  carry(first, second, traffic, true);
  carry(second, first, traffic, false);
}

function carry(from: Duplex, to: Duplex, traffic: StreamTraffic | undefined, isFromFirst: boolean): void {
  from.on('data', (chunk: Uint8Array) => {
    traffic?.count(chunk.length, isFromFirst);
    if (to.writable && !to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => resetStream(to));
  from.on('close', () => {
    if (!from.readableEnded || !from.writableFinished) resetStream(to);
  });
  if (from.destroyed) resetStream(to);
  else if (from.readableEnded) to.end();
  else from.resume();
}

/** Ends a stream at once, by RST where it is a TCP connection. What waits to be written is lost. */
export function resetStream(stream: Duplex): void {
  if (stream.destroyed) return;
  if (isResettable(stream)) stream.resetAndDestroy();
  else stream.destroy();
}

/** Node resets TCP alone: `resetAndDestroy` of a UNIX socket or of TLS throws. A UNIX socket has no address. */
function isResettable(stream: Duplex): stream is Duplex & { resetAndDestroy(): unknown } {
  if (!('resetAndDestroy' in stream)) return false;
  return !(stream instanceof Socket) || (!(stream instanceof TLSSocket) && stream.remoteAddress !== undefined);
}

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
  join(first, { to: second, traffic, isFirst: true });
  join(second, { to: first, traffic, isFirst: false });
  start(first);
  start(second);
}

/** Where the bytes of a stream go. */
interface Joint {
  readonly to: Duplex;
  readonly traffic: StreamTraffic | undefined;
  readonly isFirst: boolean;
}

/** A stream carries its joint, and all streams share their listeners: a closure for each event of each idle connection is memory. */
const JOINT = Symbol('joint');
type JoinedStream = Duplex & { [JOINT]: Joint };

function join(stream: Duplex, joint: Joint): void {
  Object.assign(stream, { [JOINT]: joint });
  stream.on('data', carryData);
  stream.on('drain', carryDrain);
  stream.on('end', carryEnd);
  stream.on('error', carryReset);
  stream.on('close', carryClose);
}

/** Carries what happened before the streams were joined, too. */
function start(stream: Duplex): void {
  const { to } = (stream as JoinedStream)[JOINT];
  if (stream.destroyed) resetStream(to);
  else if (stream.readableEnded) to.end();
  else stream.resume();
}

function carryData(this: JoinedStream, chunk: Uint8Array): void {
  const { to, traffic, isFirst } = this[JOINT];
  traffic?.count(chunk.length, isFirst);
  if (to.writable && !to.write(chunk)) this.pause();
}

function carryDrain(this: JoinedStream): void {
  this[JOINT].to.resume();
}

function carryEnd(this: JoinedStream): void {
  this[JOINT].to.end();
}

function carryReset(this: JoinedStream): void {
  resetStream(this[JOINT].to);
}

function carryClose(this: JoinedStream): void {
  if (!this.readableEnded || !this.writableFinished) resetStream(this[JOINT].to);
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

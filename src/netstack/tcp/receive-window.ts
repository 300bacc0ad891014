import { INITIAL_RECEIVE_BUFFER, MAX_RECEIVE_BUFFER } from '../constants.js';
import { addSequence, sequenceDistance } from '../sequence.js';
import { ReceiveRoundTrip } from './receive-round-trip.js';

const MAX_WINDOW_FIELD = 0xffff;

/**
 * The window that a connection advertises: how far the peer may send, and how the buffer behind it grows.
 *
 * The right edge never moves back, whatever happens to the buffer (RFC 9293 §3.8.6). It moves on by a full segment or half
 * the buffer at least, so that a slow reader does not draw tiny segments (§3.8.6.2.2).
 *
 * The buffer doubles what the program read within a round trip (dynamic right-sizing), and doubles that again while the amount
 * grows, since a greater window shows a round trip later. A program that keeps up gets room for the path, one that does not
 * keeps what it has.
 */
export class ReceiveWindow {
  bufferBytes = INITIAL_RECEIVE_BUFFER;
  /** First sequence number that the peer may not send. */
  edge = 0;
  readonly #maxBytes: number;
  readonly #roundTrip = new ReceiveRoundTrip();
  #readSinceMs = 0;
  #readBytes = 0;
  #lastReadBytes = INITIAL_RECEIVE_BUFFER;

  constructor(maxBytes = MAX_RECEIVE_BUFFER) {
    this.#maxBytes = maxBytes;
    this.bufferBytes = Math.min(INITIAL_RECEIVE_BUFFER, maxBytes);
  }

  start(rcvNxt: number, nowMs: number): void {
    this.edge = rcvNxt;
    this.#readSinceMs = nowMs;
  }

  /** Data arrived. @param echoedMs Time of ours that the segment echoes; `undefined` without timestamps. */
  arrived(rcvNxt: number, echoedMs: number | undefined, nowMs: number): void {
    if (echoedMs === undefined) this.#roundTrip.arrived(rcvNxt, this.edge, nowMs);
    else this.#roundTrip.echoed((nowMs - echoedMs) | 0);
  }

  /** RCV.WND. */
  window(rcvNxt: number): number {
    return Math.max(sequenceDistance(rcvNxt, this.edge), 0);
  }

  /**
   * Moves the edge as far as there is room.
   *
   * @param unread Bytes in order that the program has not read.
   * @param poolBytes What the pool could still give: windows shrink before anything is dropped.
   * @returns Bytes by which the edge moved.
   */
  advance(rcvNxt: number, unread: number, mss: number, shift: number, poolBytes: number): number {
    const free = Math.min(this.bufferBytes - unread, poolBytes, MAX_WINDOW_FIELD << shift);
    // The field holds multiples of 2^shift: rounding down keeps the promise within the buffer.
    const rounded = Math.max(free, 0) & -(1 << shift);
    const edge = addSequence(rcvNxt, rounded);
    const moved = sequenceDistance(this.edge, edge);
    if (moved < Math.min(this.bufferBytes >> 1, mss)) return 0;
    this.edge = edge;
    return moved;
  }

  /** The program took bytes out. @param sentRttMs What the sending side measured; −1: nothing. */
  read(bytes: number, sentRttMs: number, nowMs: number): void {
    this.#readBytes += bytes;
    const rttMs = sentRttMs < 0 ? this.#roundTrip.ms : sentRttMs;
    if (rttMs < 0 || nowMs - this.#readSinceMs < Math.max(rttMs, 1)) return;
    const growth = Math.min(Math.max(this.#readBytes / this.#lastReadBytes - 1, 0), 1);
    const wanted = Math.floor(2 * this.#readBytes * (1 + growth));
    if (wanted > this.bufferBytes) this.bufferBytes = Math.min(wanted, this.#maxBytes);
    this.#lastReadBytes = Math.max(this.#readBytes, 1);
    this.#readBytes = 0;
    this.#readSinceMs = nowMs;
  }
}

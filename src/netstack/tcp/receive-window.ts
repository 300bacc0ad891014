import { INITIAL_RECEIVE_BUFFER, MAX_RECEIVE_BUFFER } from '../constants.js';
import { addSequence, sequenceDistance } from '../sequence.js';

const MAX_WINDOW_FIELD = 0xffff;

/**
 * The window that a connection advertises: how far the peer may send, and how the buffer behind it grows.
 *
 * The right edge never moves back, whatever happens to the buffer (RFC 9293 §3.8.6). It moves on by a full segment or half
 * the buffer at least, so that a slow reader does not draw tiny segments (§3.8.6.2.2).
 *
 * The buffer doubles what the program read within a round trip (dynamic right-sizing), and more while that still grows, as
 * slow start doubles it each time: a program that keeps up gets room for the path, one that does not keeps what it has.
 */
export class ReceiveWindow {
  bufferBytes = INITIAL_RECEIVE_BUFFER;
  /** First sequence number that the peer may not send. */
  edge = 0;
  readonly #maxBytes: number;
  #readSinceMs = 0;
  #readBytes = 0;
  /** Read in the round trip before. */
  #lastReadBytes = 0;

  constructor(maxBytes = MAX_RECEIVE_BUFFER) {
    this.#maxBytes = maxBytes;
    this.bufferBytes = Math.min(INITIAL_RECEIVE_BUFFER, maxBytes);
  }

  start(rcvNxt: number, nowMs: number): void {
    this.edge = rcvNxt;
    this.#readSinceMs = nowMs;
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

  /** The program took bytes out. @param rttMs −1: not known. */
  read(bytes: number, rttMs: number, nowMs: number): void {
    this.#readBytes += bytes;
    if (rttMs < 0 || nowMs - this.#readSinceMs < Math.max(rttMs, 1)) return;
    const wanted = this.#wantedBytes();
    if (wanted > this.bufferBytes) this.bufferBytes = Math.min(wanted, this.#maxBytes);
    this.#lastReadBytes = this.#readBytes;
    this.#readBytes = 0;
    this.#readSinceMs = nowMs;
  }

  /** Linux's estimate: what the sender may have in flight when this window has reached it, a round trip from now. */
  #wantedBytes(): number {
    const doubled = 2 * this.#readBytes;
    const grown = this.#readBytes - this.#lastReadBytes;
    if (grown <= 0 || this.#lastReadBytes === 0) return doubled;
    return doubled + 2 * doubled * Math.min(grown / this.#lastReadBytes, 1);
  }
}

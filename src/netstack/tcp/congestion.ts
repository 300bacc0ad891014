import { INITIAL_WINDOW_SEGMENTS } from '../constants.js';
import { Cubic } from './cubic.js';
import { HyStart } from './hystart.js';

/** A window of this size is never the limit: numbers stay far from overflow however long a transfer runs. */
const MAX_WINDOW_BYTES = 2 ** 30;
/** RFC 7661 §4.4.3: how long a window may stay unused. */
const NON_VALIDATED_MS = 300_000;

/** The facts of an ACK that let the window grow. */
export interface Acknowledged {
  readonly bytes: number;
  /** Bytes in flight before the ACK. */
  readonly flightBytes: number;
  readonly acknowledgment: number;
  readonly sndNxt: number;
  /** Negative: no sample. */
  readonly rttMs: number;
  readonly smoothedRttMs: number;
  /** Whether the window, and not the program or the peer, held back what was sent. */
  readonly isWindowLimited: boolean;
}

/**
 * The congestion window of one connection: slow start with HyStart++, then CUBIC; halting and rebuilding after losses.
 *
 * Counts bytes, never ACKs: one ACK may cover 64 KiB. A slow start that an ACK of many segments opens is not limited to a few
 * segments per ACK, as Linux has it, since the batches of a tunnel acknowledge in large steps.
 *
 * Source: RFC 5681 §3.1, §4.1; RFC 6928 §2; RFC 7661 §4.4; RFC 9406; RFC 9438; RFC 9937 (in recovery).
 */
export class Congestion {
  windowBytes = 0;
  slowStartThreshold = Infinity;
  #mss = 0;
  readonly #hystart = new HyStart();
  /** Absent until slow start ends, as for most connections of a host it never does. */
  #madeCubic: Cubic | undefined;

  #priorWindow = 0;
  #priorThreshold = Infinity;

  /** When the window was last filled by half at least (RFC 7661 §4.2). */
  #validatedMs = -Infinity;

  /** Proportional rate reduction: what arrived and what was sent since recovery began. */
  #delivered = 0;
  #sent = 0;
  #flightAtStart = 0;

  start(mss: number, sndNxt: number): void {
    this.#mss = mss;
    this.windowBytes = this.#initialWindow;
    this.#hystart.startRound(sndNxt);
  }

  get #cubic(): Cubic {
    this.#madeCubic ??= new Cubic();
    return this.#madeCubic;
  }

  /** The segment size changed: the window keeps its count of segments (RFC 8201 §4, RFC 9293 §3.7.5). */
  setMss(mss: number): void {
    if (this.#mss !== 0 && mss < this.#mss) this.windowBytes = Math.max((this.windowBytes / this.#mss) * mss, mss);
    this.#mss = mss;
  }

  get isInSlowStart(): boolean {
    return this.windowBytes < this.slowStartThreshold;
  }

  acknowledged(ack: Acknowledged, nowMs: number): void {
    this.#validate(ack, nowMs);
    if (this.isInSlowStart) {
      this.#growInSlowStart(ack);
      return;
    }
    if (!ack.isWindowLimited) {
      this.#cubic.paused(nowMs);
      return;
    }
    const segments = this.windowBytes / this.#mss;
    const grown = this.#cubic.grow(segments, ack.bytes / this.#mss, ack.smoothedRttMs, nowMs);
    this.#setWindow(grown * this.#mss);
  }

  /** HyStart++ is for the first slow start: later ones end at a threshold that the path taught (RFC 9406 §4.3). */
  #growInSlowStart(ack: Acknowledged): void {
    const isFirst = this.slowStartThreshold === Infinity;
    const isOver = isFirst && this.#hystart.acknowledged(ack.acknowledgment, ack.sndNxt, ack.rttMs);
    const divisor = isFirst ? this.#hystart.growthDivisor : 1;
    if (ack.isWindowLimited) this.#setWindow(this.windowBytes + ack.bytes / divisor);
    if (!isOver) return;
    this.slowStartThreshold = this.windowBytes;
    this.#hystart.reset();
    this.#cubic.startOver();
  }

  /** RFC 7661 §4.4.3: a window that nobody filled for five minutes says little about the path, so it is halved. */
  #validate(ack: Acknowledged, nowMs: number): void {
    const isFilled = 2 * ack.flightBytes >= this.windowBytes;
    if (isFilled || this.#validatedMs === -Infinity) this.#validatedMs = nowMs;
    if (nowMs - this.#validatedMs < NON_VALIDATED_MS) return;
    this.#validatedMs = nowMs;
    this.slowStartThreshold = Math.max(this.slowStartThreshold, (3 * this.windowBytes) / 4);
    this.windowBytes = Math.max(this.windowBytes / 2, Math.min(this.windowBytes, this.#initialWindow));
  }

  /** A loss, or the network's mark, begins a recovery: once per round trip. @param flightBytes Before the loss. */
  enterRecovery(flightBytes: number): void {
    this.#remember();
    this.slowStartThreshold = this.#reducedThreshold(flightBytes);
    this.#delivered = 0;
    this.#sent = 0;
    this.#flightAtStart = Math.max(flightBytes, this.#mss);
    this.#hystart.reset();
  }

  /** A mark of the network (ECN) reduces at once: nothing is missing, so there is no recovery (RFC 3168 §6.1.2). */
  marked(flightBytes: number): void {
    this.enterRecovery(flightBytes);
    this.#setWindow(this.slowStartThreshold);
  }

  /**
   * RFC 9937 §6.2: what may leave on an ACK in recovery.
   *
   * @param isSafe The ACK advanced, and marked nothing as lost.
   * @param isForced A partial ACK of a peer without SACK sends the next hole whatever is in flight (RFC 6582 §3.2 step 3).
   */
  recovering(deliveredBytes: number, inFlight: number, isSafe: boolean, isForced = false): void {
    this.#delivered += deliveredBytes;
    let allowance: number;
    if (inFlight > this.slowStartThreshold) {
      allowance = Math.ceil((this.#delivered * this.slowStartThreshold) / this.#flightAtStart) - this.#sent;
    } else {
      allowance = Math.max(this.#delivered - this.#sent, deliveredBytes) + (isSafe ? this.#mss : 0);
      allowance = Math.min(allowance, this.slowStartThreshold - inFlight);
    }
    // The first retransmission always goes out.
    if (this.#sent === 0 || isForced) allowance = Math.max(allowance, this.#mss);
    this.windowBytes = inFlight + Math.max(allowance, 0);
  }

  sentInRecovery(bytes: number): void {
    this.#sent += bytes;
  }

  leaveRecovery(): void {
    this.#setWindow(this.slowStartThreshold);
  }

  /** RFC 5681 §3.1 (4): one segment after a timeout. @param isFirst Not a repeat for the same data. */
  timedOut(flightBytes: number, isFirst: boolean): void {
    if (isFirst) {
      this.#remember();
      this.slowStartThreshold = this.#reducedThreshold(flightBytes);
      this.#cubic.startOver();
    }
    this.windowBytes = this.#mss;
    this.#hystart.reset();
  }

  /** Takes back a reduction that turned out to be spurious (RFC 4015 §3.2). */
  undo(): void {
    this.#setWindow(Math.max(this.windowBytes, this.#priorWindow));
    this.slowStartThreshold = Math.max(this.slowStartThreshold, this.#priorThreshold);
    this.#cubic.restore();
  }

  /** RFC 5681 §4.1: after longer silence than the timeout the window is what a new connection has. */
  idled(idleMs: number, rtoMs: number): void {
    this.#cubic.idled(idleMs);
    if (idleMs > rtoMs) this.windowBytes = Math.min(this.windowBytes, this.#initialWindow);
  }

  get #initialWindow(): number {
    return INITIAL_WINDOW_SEGMENTS * this.#mss;
  }

  #reducedThreshold(flightBytes: number): number {
    const segments = Math.min(flightBytes, this.windowBytes) / this.#mss;
    return Math.max(this.#cubic.reduced(Math.max(segments, 1)) * this.#mss, 2 * this.#mss);
  }

  #remember(): void {
    this.#priorWindow = this.windowBytes;
    this.#priorThreshold = this.slowStartThreshold;
    this.#cubic.remember();
  }

  #setWindow(bytes: number): void {
    this.windowBytes = Math.min(Math.max(Math.floor(bytes), this.#mss), MAX_WINDOW_BYTES);
  }
}

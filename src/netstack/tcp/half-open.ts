import type { Scheduled } from '../../core/session/deadline-queue.js';
import { addSequence } from '../sequence.js';
import { isAcceptable } from './acceptability.js';
import type { TcpListener } from './listener.js';
import type { FlowAddress, TcpFlow } from './tcp-flow.js';
import { ACK, CWR, ECE, RST, SYN, type TcpSegment } from './tcp-segment.js';

/** The window field of a SYN or SYN-ACK, which is never scaled (RFC 7323 §2.2). */
export const FIRST_WINDOW = 65_535;

/** The segment that leaves for a half-open connection with the next batch. */
export const HandshakeAnswer = { None: 0, Acknowledgment: 1, SynAck: 2 } as const;
export type HandshakeAnswer = (typeof HandshakeAnswer)[keyof typeof HandshakeAnswer];

/** The options of a SYN, kept until the handshake ends or is refused. */
export interface SynOptions {
  readonly mss: number;
  readonly windowShift: number;
  readonly isSackPermitted: boolean;
  readonly hasTimestamps: boolean;
  readonly wantsEcn: boolean;
}

/**
 * A connection that a peer asked for: a small record, not a control block, so that 2,048 of them cost little.
 *
 * In accept-any mode it waits for the program's decision before anything is answered.
 *
 * Source: RFC 9293 §3.10.7.2, §3.10.7.4 (SYN-RECEIVED).
 */
export class HalfOpen implements FlowAddress, Scheduled {
  readonly local: Int32Array;
  readonly localPort: number;
  readonly remote: Int32Array;
  readonly remotePort: number;
  readonly irs: number;
  readonly options: SynOptions;
  readonly window: number;
  tsRecent: number;
  iss = 0;
  timestampOffset = 0;
  /** ISS lies at or behind this: the end of an earlier connection of the same two ends (RFC 6191 §2). */
  leastIss: number | undefined;
  /** `undefined`: the program decides about it. */
  readonly listener: TcpListener | undefined;
  /** Start of the packet with the SYN, which an ICMP error quotes; kept while the program decides. */
  readonly quoted: Uint8Array | undefined;
  /** The connection that it became. */
  flow: TcpFlow | undefined;
  /** The program said yes: SYN-ACK may leave. */
  isAccepted: boolean;
  owed: HandshakeAnswer = HandshakeAnswer.None;
  lastChallengeMs = -Infinity;
  retries = 0;
  /** When SYN-ACK is sent again, or the record is given up. */
  deadlineMs = Infinity;
  sentMs = 0;

  /** @param origin The listener that takes it, or the start of its packet where the program decides. */
  constructor(address: FlowAddress, segment: TcpSegment, origin: TcpListener | Uint8Array) {
    this.local = address.local;
    this.localPort = address.localPort;
    this.remote = address.remote;
    this.remotePort = address.remotePort;
    this.irs = segment.sequence;
    this.window = segment.window;
    this.tsRecent = segment.timestampValue;
    this.listener = origin instanceof Uint8Array ? undefined : origin;
    this.quoted = origin instanceof Uint8Array ? origin : undefined;
    this.isAccepted = this.listener !== undefined;
    this.options = {
      mss: segment.mss,
      windowShift: segment.windowShift,
      isSackPermitted: segment.isSackPermitted,
      hasTimestamps: segment.hasTimestamps,
      wantsEcn: segment.has(ECE) && segment.has(CWR),
    };
  }

  queuedAt = Infinity;
  queuePosition = 0;

  /** Refused, reset, given up or complete: nothing is left to decide. */
  get isOver(): boolean {
    return this.deadlineMs === Infinity;
  }

  get rcvNxt(): number {
    return addSequence(this.irs, 1);
  }

  get sndNxt(): number {
    return addSequence(this.iss, 1);
  }

  /** A SYN that came twice: its answer was lost. */
  isSynAgain(segment: TcpSegment): boolean {
    return segment.has(SYN) && !segment.has(ACK | RST) && segment.sequence === this.irs;
  }

  /** Tests the place in the window, and the stamp of all but RST (RFC 7323 §5.3). */
  isCurrent(segment: TcpSegment): boolean {
    if (!isAcceptable(segment, this.rcvNxt, FIRST_WINDOW)) return false;
    const isStamped = this.options.hasTimestamps && segment.hasTimestamps && !segment.has(RST);
    return !isStamped || ((segment.timestampValue - this.tsRecent) | 0) >= 0;
  }

  nextDeadline(): number {
    return this.deadlineMs;
  }
}

import type { Scheduled } from '../../core/session/deadline-queue.js';
import type { TcpListener } from './listener.js';
import type { FlowAddress } from './tcp-flow.js';
import type { TcpSegment } from './tcp-segment.js';

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
  /** `undefined`: a request of accept-any mode. */
  readonly listener: TcpListener | undefined;
  tsRecent: number;
  iss = 0;
  timestampOffset = 0;
  /** A listener takes it, or the program said yes: SYN-ACK may leave. */
  isAccepted: boolean;
  /** Refused, reset, given up or complete: nothing is left to decide. */
  isOver = false;
  mustAnswer = false;
  retries = 0;
  /** When SYN-ACK is sent again, or the record is given up. */
  deadlineMs = Infinity;
  sentMs = 0;

  constructor(address: FlowAddress, segment: TcpSegment, listener: TcpListener | undefined, wantsEcn: boolean) {
    this.local = address.local;
    this.localPort = address.localPort;
    this.remote = address.remote;
    this.remotePort = address.remotePort;
    this.irs = segment.sequence;
    this.window = segment.window;
    this.tsRecent = segment.timestampValue;
    this.listener = listener;
    this.isAccepted = listener !== undefined;
    this.options = {
      mss: segment.mss,
      windowShift: segment.windowShift,
      isSackPermitted: segment.isSackPermitted,
      hasTimestamps: segment.hasTimestamps,
      wantsEcn,
    };
  }

  queuedAt = Infinity;
  queuePosition = 0;

  nextDeadline(): number {
    return this.deadlineMs;
  }
}

import type { Scheduled } from '../../core/session/deadline-queue.js';
import { isIpv4Address } from '../address.js';
import type { BlockPool } from '../block-pool.js';
import { DEFAULT_MSS4, DEFAULT_MSS6, KEEPALIVE_IDLE_MS, MAX_SEND_BUFFER, MIN_SEND_BUFFER } from '../constants.js';
import { addSequence, sequenceDistance } from '../sequence.js';
import { Congestion } from './congestion.js';
import type { CloseReason } from './flow-event.js';
import { LossDetection } from './loss-detection.js';
import type { PathSearch } from './path-search.js';
import { ReceiveQueue } from './receive-queue.js';
import { ReceiveWindow } from './receive-window.js';
import { RoundTripTime } from './round-trip-time.js';
import { SendQueue } from './send-queue.js';
import { SendRecords } from './send-records.js';
import { isFinPending, TcpState } from './tcp-state.js';

/** The two ends of a flow. */
export interface FlowAddress {
  readonly local: Int32Array;
  readonly localPort: number;
  readonly remote: Int32Array;
  readonly remotePort: number;
}

/** How a flow recovers from losses. */
export const Recovery = { None: 0, Fast: 1, Timeout: 2 } as const;
export type Recovery = (typeof Recovery)[keyof typeof Recovery];

/** The event that the one timer of the sending side waits for. */
export const LossTimer = { None: 0, Retransmission: 1, TailProbe: 2, Persist: 3 } as const;
export type LossTimer = (typeof LossTimer)[keyof typeof LossTimer];

/** How far the test has come whether a timeout was spurious (RFC 5682 §2.1). */
export const ForwardRecovery = {
  Off: 0,
  /** The first segment left again; the ACK for it decides whether the test goes on. */
  Resent: 1,
  /** New data left in place of more retransmissions; the next ACK tells. */
  Probing: 2,
} as const;
export type ForwardRecovery = (typeof ForwardRecovery)[keyof typeof ForwardRecovery];

/** How urgent an acknowledgment is. */
export const AckOwed = { None: 0, Delayed: 1, Now: 2 } as const;
export type AckOwed = (typeof AckOwed)[keyof typeof AckOwed];

/**
 * One TCP connection: the transmission control block.
 *
 * It holds state and sends nothing: `SegmentArrival`, `AckProcessing`, `SegmentEmission` and `FlowTimers` do. Sequence numbers
 * are int32. The names are those of RFC 9293 §3.3.1.
 *
 * ```text
 *         SND.UNA      SND.NXT                        RCV.NXT         window.edge
 * ...acked  |  in flight  |  unsent            ...read | in order |      free      |
 *           dataStart (behind SYN)
 * ```
 */
export class TcpFlow implements Scheduled {
  readonly local: Int32Array;
  readonly remote: Int32Array;
  readonly localPort: number;
  readonly remotePort: number;
  readonly isIpv4: boolean;
  state: TcpState = TcpState.Closed;

  iss = 0;
  sndUna = 0;
  sndNxt = 0;
  /** SND.WND in bytes, scaled. */
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  maxSndWnd = 0;
  sendShift = 0;
  /** Sequence number of the first byte in `sendQueue`. */
  dataStart = 0;
  isFinQueued = false;
  /** End of the last segment shorter than the MSS (Minshall's variant of Nagle). */
  smallSegmentEnd = 0;
  readonly sendQueue: SendQueue;
  readonly records = new SendRecords();
  readonly rtt = new RoundTripTime();
  readonly loss: LossDetection;
  readonly congestion = new Congestion();
  recovery: Recovery = Recovery.None;
  recoveryEnd = 0;
  isWindowLimited = false;
  forwardRecovery: ForwardRecovery = ForwardRecovery.Off;
  /** Bytes resent since recovery began that no D-SACK has reported; −1: not to be undone. */
  undoBytes = -1;
  /** Timestamp of the first retransmission, for the Eifel test. */
  retransmissionStamp = 0;

  irs = 0;
  rcvNxt = 0;
  receiveShift = 0;
  readonly receiveQueue: ReceiveQueue;
  readonly window: ReceiveWindow;
  /** Stream offset of the peer's FIN; −1: not seen. */
  finOffset = -1;
  isFinReceived = false;
  /** Index of the range that the next ACK reports first: where the last out-of-order segment went. */
  newestRange = 0;
  /** Number of new ranges ahead of a gap since the last ACK, or of segments there where the peer knows no SACK. */
  unreported = 0;

  /** Segment size without options, by the peer's MSS and the path. */
  mss: number;
  peerMss: number;
  pathMtu = 0;
  /** Looks for a wider path; `undefined` while segments are as large as the tunnel admits. */
  pathSearch: PathSearch | undefined;
  hasTimestamps = false;
  timestampOffset = 0;
  tsRecent = 0;
  tsRecentMs = 0;
  hasSack = false;
  /** A duplicate arrived: the next ACK reports it (D-SACK, RFC 2883). Equal edges: none. */
  duplicateStart = 0;
  duplicateEnd = 0;
  hasEcn = false;
  /** ECE is echoed until the peer sends CWR. */
  isEchoingCongestion = false;
  mustSendCwr = false;
  ecnReducedEnd = 0;

  ackOwed: AckOwed = AckOwed.None;
  /** Segments with data since the last ACK left. */
  unackedSegments = 0;
  quickAcks = 0;
  lastAckSent = 0;
  lastChallengeMs = -Infinity;
  /** A probe must leave, whatever the windows say. */
  isProbing = false;
  /** A tail loss probe is out, and no ACK came since. */
  isTailProbed = false;
  /** SND.NXT when the tail was probed by a segment that had left before; `sndUna` or less: no such probe. */
  tailProbeEnd = 0;
  isTailResent = false;
  mustSendSyn = false;

  lossTimer: LossTimer = LossTimer.None;
  lossTimerAtMs = Infinity;
  retries = 0;
  delayedAckAtMs = Infinity;
  keepaliveAtMs = Infinity;
  keepaliveIdleMs = KEEPALIVE_IDLE_MS;
  keepaliveProbes = 0;
  isKeptAlive = false;
  lingerAtMs = Infinity;
  lastSentMs = 0;
  lastReceivedMs = 0;
  synSentMs = 0;

  /** Nagle off (TCP_NODELAY). */
  isNoDelay = false;
  /** A router reported that packets do not arrive, and none of ours was acknowledged since. */
  isUnreachable = false;
  /** No program holds it any more. */
  isOrphan = false;
  maxSendBytes = MAX_SEND_BUFFER;
  #greatestWindowBytes = 0;
  isWriteBlocked = false;
  closedBy: CloseReason | undefined;
  /** Bits of `FlowEvent` that nobody has taken. */
  events = 0;
  isInEventQueue = false;
  isInOutputQueue = false;

  queuedAt = Infinity;
  queuePosition = 0;

  constructor({ local, localPort, remote, remotePort }: FlowAddress, pool: BlockPool, maxReceiveBytes?: number) {
    this.local = local;
    this.localPort = localPort;
    this.remote = remote;
    this.remotePort = remotePort;
    this.isIpv4 = isIpv4Address(remote);
    this.sendQueue = new SendQueue(pool);
    this.receiveQueue = new ReceiveQueue(pool);
    this.window = new ReceiveWindow(maxReceiveBytes);
    this.loss = new LossDetection(this.records, this.rtt);
    this.peerMss = this.isIpv4 ? DEFAULT_MSS4 : DEFAULT_MSS6;
    this.mss = this.peerMss;
  }

  nextDeadline(): number {
    return Math.min(
      this.lossTimerAtMs,
      this.loss.reorderingDeadlineMs,
      this.delayedAckAtMs,
      this.keepaliveAtMs,
      this.lingerAtMs,
    );
  }

  /** Sequence number of our FIN, once it is queued. */
  get finSequence(): number {
    return addSequence(this.dataStart, this.sendQueue.length);
  }

  get isFinSent(): boolean {
    return this.isFinQueued && sequenceDistance(this.finSequence, this.sndNxt) > 0;
  }

  get isFinAcknowledged(): boolean {
    return this.isFinQueued && sequenceDistance(this.finSequence, this.sndUna) > 0;
  }

  /** Bytes in the send queue that never left. */
  get unsentBytes(): number {
    const sent = sequenceDistance(this.dataStart, this.sndNxt);
    return this.sendQueue.length - Math.min(Math.max(sent, 0), this.sendQueue.length);
  }

  /** Whether a FIN is waiting to leave. */
  get mustSendFin(): boolean {
    return isFinPending(this.state) && !this.isFinSent && this.unsentBytes === 0;
  }

  /** Bytes that the peer's window still admits; negative after the peer shrank it. */
  get usableWindow(): number {
    return sequenceDistance(this.sndNxt, addSequence(this.sndUna, this.sndWnd));
  }

  /** Data of a full segment beside its timestamps. */
  get payloadBytes(): number {
    return this.mss - this.timestampBytes;
  }

  /**
   * The bound of `sendQueue`: a window in flight, and one behind it, so that no ACK finds the queue empty. It never shrinks: while a
   * loss is repaired, what arrived behind the gap stays in the queue, and new data has to go on (as Linux has it).
   */
  get sendBufferBytes(): number {
    return Math.min(Math.max(2 * this.#greatestWindowBytes, MIN_SEND_BUFFER), this.maxSendBytes);
  }

  /** The congestion window has grown, perhaps. */
  noteWindow(): void {
    // The window is no whole number while losses are repaired.
    this.#greatestWindowBytes = Math.max(this.#greatestWindowBytes, Math.floor(this.congestion.windowBytes));
  }

  /** Bytes on the path (RFC 6675 §4, `pipe`). Without SACK, a duplicate ACK stands for a segment that left it. */
  get pipeBytes(): number {
    const left = this.hasSack ? 0 : this.loss.duplicateAcks * this.payloadBytes;
    return Math.max(this.records.inFlight - left, 0);
  }

  /** Bytes of the options that every segment carries. */
  get timestampBytes(): number {
    return this.hasTimestamps ? 12 : 0;
  }

  /** @param flightBytes In flight before the loss was found. */
  enterFastRecovery(flightBytes: number): void {
    this.recovery = Recovery.Fast;
    this.recoveryEnd = this.sndNxt;
    this.undoBytes = 0;
    this.retransmissionStamp = 0;
    this.congestion.enterRecovery(flightBytes);
  }

  /** Stops everything. Bytes in order stay readable, unless nobody is there to read them. */
  release(keepsUnread: boolean): void {
    this.sendQueue.clear();
    this.records.clear();
    if (!keepsUnread || this.isOrphan) this.receiveQueue.clear();
    this.lossTimer = LossTimer.None;
    this.lossTimerAtMs = Infinity;
    this.loss.reorderingDeadlineMs = Infinity;
    this.delayedAckAtMs = Infinity;
    this.keepaliveAtMs = Infinity;
    this.lingerAtMs = Infinity;
    this.ackOwed = AckOwed.None;
  }
}

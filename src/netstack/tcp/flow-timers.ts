import {
  BLACK_HOLE_MTU4,
  BLACK_HOLE_MTU6,
  BLACK_HOLE_RETRIES,
  DELAYED_ACK_MS,
  FIN_WAIT_2_MS,
  INITIAL_RTO_MS,
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_PROBES,
  MAX_RETRIES,
  MAX_RTO_MS,
  ORPHAN_RETRIES,
  SYN_LINEAR_RETRIES,
  SYN_RETRIES,
  TLP_MAX_ACK_DELAY_MS,
} from '../constants.js';
import { endFlow } from './flow-end.js';
import { beginForwardRecovery } from './forward-recovery.js';
import { judgeProbe, narrowPath } from './path-mtu.js';
import { SACKED } from './send-records.js';
import type { TcpContext } from './tcp-context.js';
import { AckOwed, LossTimer, Recovery, type TcpFlow } from './tcp-flow.js';
import { isSynchronized, TcpState } from './tcp-state.js';

/**
 * The clocks of a connection: retransmission, tail loss probe, persist, delayed ACK, keepalive, and the ends of FIN-WAIT-2.
 *
 * Retransmission, probe and persist share one timer, since only one of them can be due.
 *
 * Source: RFC 6298 §5; RFC 8985 §7; RFC 9293 §3.8.3, §3.8.4, §3.8.6.1.
 */
export class FlowTimers {
  readonly #context: TcpContext;

  constructor(context: TcpContext) {
    this.#context = context;
  }

  /** Sets the timer of the sending side for what is in flight now; `hasProgress` restarts one that is running. */
  armLossTimer(flow: TcpFlow, hasProgress: boolean, nowMs: number): void {
    if (flow.records.count === 0) {
      if (flow.lossTimer !== LossTimer.Persist) this.stopLossTimer(flow);
      return;
    }
    if (flow.lossTimer === LossTimer.Persist) this.stopLossTimer(flow);
    if (flow.lossTimer !== LossTimer.None && !hasProgress) return;
    const rtoMs = this.#retransmissionMs(flow);
    const probeMs = this.#tailProbeMs(flow);
    if (probeMs < rtoMs) this.#set(flow, LossTimer.TailProbe, nowMs + probeMs);
    else this.#set(flow, LossTimer.Retransmission, nowMs + rtoMs);
  }

  /** The window is closed and data waits (RFC 9293 §3.8.6.1). */
  armPersist(flow: TcpFlow, nowMs: number): void {
    if (flow.lossTimer === LossTimer.Persist) return;
    this.#set(flow, LossTimer.Persist, nowMs + this.#persistMs(flow));
  }

  stopLossTimer(flow: TcpFlow): void {
    flow.lossTimer = LossTimer.None;
    flow.lossTimerAtMs = Infinity;
  }

  delayAck(flow: TcpFlow, nowMs: number): void {
    if (flow.delayedAckAtMs !== Infinity) return;
    flow.delayedAckAtMs = nowMs + DELAYED_ACK_MS;
    this.#context.schedule(flow);
  }

  /** Starts to wait for the next probe, counted from the last segment that came in. */
  armKeepalive(flow: TcpFlow, nowMs: number): void {
    flow.keepaliveAtMs = flow.isKeptAlive ? nowMs + flow.keepaliveIdleMs : Infinity;
    this.#context.schedule(flow);
  }

  /** FIN-WAIT-2 of a connection that nobody holds ends by itself. */
  armFinWait2(flow: TcpFlow, nowMs: number): void {
    if (!flow.isOrphan) return;
    flow.lingerAtMs = nowMs + FIN_WAIT_2_MS;
    this.#context.schedule(flow);
  }

  /** Does what is due on a flow. */
  runDue(flow: TcpFlow, nowMs: number): void {
    if (flow.loss.reorderingDeadlineMs <= nowMs) this.#reorderingTimedOut(flow, nowMs);
    if (flow.lossTimerAtMs <= nowMs) this.#lossTimedOut(flow, nowMs);
    if (flow.delayedAckAtMs <= nowMs) {
      flow.delayedAckAtMs = Infinity;
      flow.ackOwed = AckOwed.Now;
      this.#context.requestOutput(flow);
    }
    if (flow.keepaliveAtMs <= nowMs) this.#keepaliveDue(flow, nowMs);
    if (flow.lingerAtMs <= nowMs) this.#giveUp(flow);
  }

  #set(flow: TcpFlow, timer: LossTimer, atMs: number): void {
    flow.lossTimer = timer;
    flow.lossTimerAtMs = atMs;
    this.#context.schedule(flow);
  }

  #retransmissionMs(flow: TcpFlow): number {
    if (flow.state === TcpState.SynSent || flow.state === TcpState.SynReceived) return this.#synMs(flow);
    return flow.rtt.timeoutMs;
  }

  /** RFC 9293 §3.8.6.1: first after the retransmission timeout, then at doubling distances. */
  #persistMs(flow: TcpFlow): number {
    return Math.min(flow.rtt.rtoMs * 2 ** flow.retries, MAX_RTO_MS);
  }

  /** Linux's rule: some tries a second apart, then doubling. */
  #synMs(flow: TcpFlow): number {
    const doublings = Math.max(flow.retries - SYN_LINEAR_RETRIES, 0);
    return Math.min(INITIAL_RTO_MS * 2 ** doublings, MAX_RTO_MS);
  }

  /** RFC 8985 §7.2. `Infinity`: no probe is due, because one would tell nothing. */
  #tailProbeMs(flow: TcpFlow): number {
    const { rtt, records } = flow;
    if (!flow.hasSack || !isSynchronized(flow.state) || flow.recovery !== Recovery.None || flow.retries > 0)
      return Infinity;
    if (records.sackedBytes > 0 || flow.isProbing || flow.isTailProbed) return Infinity;
    if (!rtt.hasSample) return INITIAL_RTO_MS;
    const isLone = records.inFlight <= flow.mss;
    return Math.ceil(2 * rtt.smoothedMs) + (isLone ? TLP_MAX_ACK_DELAY_MS : 2);
  }

  #reorderingTimedOut(flow: TcpFlow, nowMs: number): void {
    const flight = flow.records.inFlight;
    if (!flow.loss.findLost(flow.recovery !== Recovery.None, nowMs)) return;
    this.#context.requestOutput(flow);
    if (!judgeProbe(flow, this.#context, true, nowMs)) return;
    if (flow.recovery === Recovery.None) flow.enterFastRecovery(flight);
    // After a timeout the window is that of slow start: proportional reduction has no part in it.
    if (flow.recovery === Recovery.Fast) flow.congestion.recovering(0, flow.pipeBytes, false);
  }

  #lossTimedOut(flow: TcpFlow, nowMs: number): void {
    const timer = flow.lossTimer;
    this.stopLossTimer(flow);
    if (timer === LossTimer.TailProbe) this.#probeTail(flow, nowMs);
    else if (timer === LossTimer.Persist) this.#probeWindow(flow, nowMs);
    else this.#retransmit(flow, nowMs);
  }

  /** RFC 8985 §7.3: one new segment, or the last one again, brings out what was lost at the end. */
  #probeTail(flow: TcpFlow, nowMs: number): void {
    flow.isProbing = true;
    flow.isTailProbed = true;
    this.#set(flow, LossTimer.Retransmission, nowMs + this.#retransmissionMs(flow));
    this.#context.requestOutput(flow);
  }

  /** RFC 9293 §3.8.6.1: probes go on for ever while the peer answers them. */
  #probeWindow(flow: TcpFlow, nowMs: number): void {
    flow.retries++;
    if (flow.isOrphan && flow.retries > ORPHAN_RETRIES) {
      this.#giveUp(flow);
      return;
    }
    if (flow.retries > MAX_RETRIES && nowMs - flow.lastReceivedMs > MAX_RTO_MS * 2) {
      this.#giveUp(flow);
      return;
    }
    flow.isProbing = true;
    this.#set(flow, LossTimer.Persist, nowMs + this.#persistMs(flow));
    this.#context.requestOutput(flow);
  }

  #retransmit(flow: TcpFlow, nowMs: number): void {
    flow.retries++;
    if (flow.retries > this.#mostRetries(flow)) {
      this.#giveUp(flow);
      return;
    }
    if (!isSynchronized(flow.state)) {
      flow.mustSendSyn = true;
      flow.records.clear();
    } else this.#declareLost(flow, nowMs);
    this.#context.requestOutput(flow);
    this.#set(flow, LossTimer.Retransmission, nowMs + this.#retransmissionMs(flow));
  }

  #declareLost(flow: TcpFlow, nowMs: number): void {
    const { congestion, records } = flow;
    const flight = records.inFlight + records.lostBytes;
    const isFirst = flow.recovery !== Recovery.Timeout || flow.retries === 1;
    flow.rtt.backOff();
    beginForwardRecovery(flow);
    flow.recovery = Recovery.Timeout;
    flow.recoveryEnd = flow.sndNxt;
    flow.loss.duplicateAcks = 0;
    flow.pathSearch?.failed(); // inconclusive (RFC 4821 §7.5), so the next one is smaller
    flow.loss.markAllLost(flow.retries > 1);
    congestion.timedOut(flight, isFirst);
    if (isFirst) {
      flow.undoBytes = 0;
      flow.retransmissionStamp = (nowMs + flow.timestampOffset) | 0;
    }
    if (flow.retries >= BLACK_HOLE_RETRIES && records.count > 0 && !records.has(0, SACKED))
      this.#suspectBlackHole(flow, nowMs);
  }

  /** Full-sized segments vanish without an answer: smaller ones may pass (RFC 4821 §7.7). */
  #suspectBlackHole(flow: TcpFlow, nowMs: number): void {
    if (flow.records.bytes(0) < flow.payloadBytes) return;
    const smaller = (flow.isIpv4 ? BLACK_HOLE_MTU4 : BLACK_HOLE_MTU6).find((mtu) => mtu < flow.pathMtu);
    if (smaller !== undefined) narrowPath(flow, smaller, true, nowMs);
  }

  #mostRetries(flow: TcpFlow): number {
    if (!isSynchronized(flow.state)) return SYN_RETRIES;
    return flow.isOrphan ? ORPHAN_RETRIES : MAX_RETRIES;
  }

  #giveUp(flow: TcpFlow): void {
    endFlow(this.#context, flow, flow.isUnreachable ? 'unreachable' : 'timed-out');
  }

  #keepaliveDue(flow: TcpFlow, nowMs: number): void {
    if (flow.keepaliveProbes >= KEEPALIVE_PROBES) {
      this.#giveUp(flow);
      return;
    }
    flow.keepaliveProbes++;
    flow.keepaliveAtMs = nowMs + KEEPALIVE_INTERVAL_MS;
    if (flow.records.count > 0) return; // retransmissions ask the same question
    flow.isProbing = true;
    this.#context.requestOutput(flow);
  }
}

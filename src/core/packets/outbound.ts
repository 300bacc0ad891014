import { UNREACHABLE_MAX_BYTES, writeUnreachable } from '../../wire/icmp.js';
import * as ipHeader from '../../wire/ip-header.js';
import type { DeviceParts } from '../device-parts.js';
import type { LinkView } from '../link-state.js';
import type { AllowedIps } from '../routing/allowed-ips.js';
import { RoutingLoops } from '../routing/routing-loops.js';
import type { Peer } from '../session/peer.js';
import type { Counters } from './counters.js';
import type { Outbox } from './outbox.js';
import { NO_KEY, type PacketBatch } from './packet-batch.js';
import { writeTransportData } from './transport.js';
import { Verdict } from './verdict.js';

/** ICMP answers per second: enough for programs that wait for an answer, too few to be a load. */
const UNREACHABLES_PER_SECOND = 1_000;

/**
 * The outbound path, before the AEAD stage: finds the peer and its keypair for each packet, and writes the header.
 *
 * This stage sends nothing by itself. A packet without a session is staged, and a handshake is requested.
 *
 * Source: whitepaper §2, §5.4.6, §6.2.
 */
export class Outbound {
  readonly #link: LinkView;
  readonly #outbox: Outbox;
  readonly #allowedIps: AllowedIps<Peer>;
  readonly #counters: Counters;
  readonly #loops: RoutingLoops;
  #unreachables = 0;
  #unreachablesSinceMs = 0;

  constructor(parts: DeviceParts) {
    this.#link = parts.link;
    this.#outbox = parts.outbox;
    this.#allowedIps = parts.allowedIps;
    this.#counters = parts.counters;
    this.#loops = new RoutingLoops(parts);
  }

  /** Skips rows whose verdict is not `Pass`. */
  route(batch: PacketBatch, nowMs: number): void {
    const { isReady } = this.#link;
    const { verdicts } = this.#counters;
    batch.endpointCount = 0;
    for (let row = 0; row < batch.count; row++) {
      if (batch.verdict[row] === Verdict.Pass) {
        batch.keySlot[row] = NO_KEY;
        batch.verdict[row] = isReady ? this.#routeRow(batch, row, nowMs) : Verdict.DeviceDown;
      }
      verdicts[batch.verdict[row]]++;
    }
  }

  #routeRow(batch: PacketBatch, row: number, nowMs: number): Verdict {
    const { bytes } = batch;
    const at = batch.offset[row];
    const version = ipHeader.checkIpPacket(bytes, at, batch.length[row]);
    if (version === 0) return Verdict.MalformedPacket;

    const peer =
      version === 4
        ? this.#allowedIps.lookup4(bytes, at + ipHeader.IPV4_DESTINATION_AT)
        : this.#allowedIps.lookup6(bytes, at + ipHeader.IPV6_DESTINATION_AT);
    if (peer === undefined) return this.#answerUnreachable(batch, row, Verdict.NoPeer, nowMs);
    if (peer.destination === undefined) {
      peer.counters.countVerdict(Verdict.NoEndpoint);
      return this.#answerUnreachable(batch, row, Verdict.NoEndpoint, nowMs);
    }
    if (this.#loops.wouldLoop(bytes, at, peer, nowMs)) {
      peer.counters.countVerdict(Verdict.RoutingLoop);
      return Verdict.RoutingLoop;
    }
    batch.trafficClass[row] = outerEcn(ipHeader.trafficClass(bytes, at));
    return this.#sendTo(peer, batch, row, nowMs);
  }

  #sendTo(peer: Peer, batch: PacketBatch, row: number, nowMs: number): Verdict {
    const keypair = peer.sealingKeypair(nowMs);
    if (keypair === undefined || peer.staged.count > 0) return this.#stage(peer, batch, row, nowMs);

    peer.txBytes += writeTransportData(batch, row, keypair, this.#link.mtu);
    batch.setEndpoint(row, peer.endpoint!.words, 0);
    peer.timers.authenticatedMessageSent(nowMs);
    peer.timers.dataSent(nowMs);
    peer.keepSessionFresh(keypair, nowMs);
    return Verdict.Pass;
  }

  /** Stages a copy until there is a session, behind earlier packets, so that their order is kept. */
  #stage(peer: Peer, batch: PacketBatch, row: number, nowMs: number): Verdict {
    const outcome = peer.staged.push(batch.bytes, batch.offset[row], batch.length[row], batch.trafficClass[row]);
    if (outcome !== 'kept') peer.counters.countVerdict(Verdict.StagedOverflow);
    if (peer.sealingKeypair(nowMs) === undefined) peer.timers.handshakeWanted(nowMs);
    else this.#outbox.requestFlush(peer);
    if (outcome === 'refused') return Verdict.StagedOverflow;
    if (outcome === 'kept-for-oldest') this.#counters.countVerdict(Verdict.StagedOverflow);
    return Verdict.Staged;
  }

  /** Answers the sender at once, as the kernel does, so that the sender need not wait for a timeout. */
  #answerUnreachable(batch: PacketBatch, row: number, verdict: Verdict, nowMs: number): Verdict {
    const { replies } = this.#outbox;
    if (!this.#mayAnswer(nowMs)) return verdict;
    const reply = replies.appendRow(UNREACHABLE_MAX_BYTES);
    if (reply < 0) return verdict;
    const at = replies.offset[reply];
    replies.length[reply] = writeUnreachable(batch.bytes, batch.offset[row], batch.length[row], replies.bytes, at);
    return verdict;
  }

  #mayAnswer(nowMs: number): boolean {
    if (nowMs - this.#unreachablesSinceMs >= 1_000) {
      this.#unreachablesSinceMs = nowMs;
      this.#unreachables = 0;
    }
    return this.#unreachables++ < UNREACHABLES_PER_SECOND;
  }
}

/**
 * The outer header carries the ECN bits of the inner one and nothing else: DSCP would reveal the kind of traffic inside.
 * A packet that has met congestion is marked as capable again: its own header keeps the mark (RFC 3168 §9.1.1).
 */
function outerEcn(innerTrafficClass: number): number {
  const ecn = innerTrafficClass & ipHeader.ECN_MASK;
  return ecn === ipHeader.ECN_CONGESTION_EXPERIENCED ? ipHeader.ECN_CAPABLE_0 : ecn;
}

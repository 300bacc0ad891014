import { ENDPOINT_WORDS, isReachable } from '../../wire/endpoint.js';
import * as ipHeader from '../../wire/ip-header.js';
import * as messages from '../../wire/messages.js';
import * as transportData from '../../wire/transport-data.js';
import type { DeviceParts } from '../device-parts.js';
import type { HandshakeExchange } from '../handshake/handshake-exchange.js';
import type { LinkView } from '../link-state.js';
import type { AllowedIps } from '../routing/allowed-ips.js';
import type { Keypair } from '../session/keypair.js';
import type { Peer } from '../session/peer.js';
import type { Sessions } from '../session/sessions.js';
import type { Counters } from './counters.js';
import { NO_KEY, type PacketBatch } from './packet-batch.js';
import { Verdict } from './verdict.js';

/**
 * The inbound path, around the AEAD stage.
 *
 * `classify` trusts nothing and changes no state: it only finds the key. `admit` receives rows whose
 * tag was verified, and alone changes state. Between the two, the AEAD stage may run anywhere.
 *
 * Source: whitepaper §2, §5.4.6, §6.
 */
export class Inbound {
  readonly #link: LinkView;
  readonly #sessions: Sessions;
  readonly #allowedIps: AllowedIps<Peer>;
  readonly #counters: Counters;
  readonly #exchange: HandshakeExchange;
  #lastKeypair: Keypair<Peer> | undefined;

  constructor({ link, sessions, allowedIps, counters }: DeviceParts, exchange: HandshakeExchange) {
    this.#link = link;
    this.#sessions = sessions;
    this.#allowedIps = allowedIps;
    this.#counters = counters;
    this.#exchange = exchange;
  }

  /** Writes `verdict` and `keySlot`. Skips rows whose verdict is not `Pass`. */
  classify(batch: PacketBatch, nowMs: number): void {
    const { isReady } = this.#link;
    for (let row = 0; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass) continue;
      batch.keySlot[row] = NO_KEY;
      batch.verdict[row] = isReady ? this.#classifyRow(batch, row, nowMs) : Verdict.DeviceDown;
    }
  }

  #classifyRow(batch: PacketBatch, row: number, nowMs: number): Verdict {
    if (!isReachable(batch.endpointWords, batch.endpoint[row] * ENDPOINT_WORDS)) return Verdict.SourcePortZero;
    const at = batch.offset[row];
    if (!transportData.isTransportData(batch.bytes, at, batch.length[row])) {
      const type = messages.messageType(batch.bytes, at, batch.length[row]);
      return type === messages.NO_MESSAGE ? Verdict.Malformed : Verdict.Handshake;
    }
    const keypair = this.#keypairOf(batch, row);
    if (keypair === undefined) return Verdict.UnknownReceiverIndex;
    if (keypair.isExpired(nowMs)) return Verdict.KeypairExpired;

    batch.keySlot[row] = keypair.keySlot;
    return Verdict.Pass;
  }

  /**
   * Applies the effects of authentic rows. Rows with a packet keep verdict `Pass`, with `offset` and `length` of the
   * packet. Rows must be in order of arrival, as the replay window requires.
   */
  admit(batch: PacketBatch, nowMs: number): void {
    const { verdicts } = this.#counters;
    for (let row = 0; row < batch.count; row++) {
      switch (batch.verdict[row]) {
        case Verdict.Pass:
          batch.verdict[row] = this.#admitRow(batch, row, nowMs);
          break;
        case Verdict.Handshake:
          batch.verdict[row] = this.#exchange.door.judge(batch, row, nowMs);
          break;
        case Verdict.BadTag:
        case Verdict.KeypairExpired:
          this.#keypairOf(batch, row)?.peer.counters.countVerdict(batch.verdict[row] as Verdict);
      }
      verdicts[batch.verdict[row]]++;
    }
  }

  #admitRow(batch: PacketBatch, row: number, nowMs: number): Verdict {
    const keypair = this.#keypairOf(batch, row);
    if (keypair === undefined || keypair.keySlot !== batch.keySlot[row]) return Verdict.KeypairExpired; // wiped meanwhile
    const { peer } = keypair;
    const at = batch.offset[row];
    const { bytes } = batch;
    if (!keypair.replayWindow.accept(transportData.counterHigh(bytes, at), transportData.counterLow(bytes, at)))
      return countFor(peer, Verdict.Replayed);

    this.#sessions.heardFrom(peer, batch.length[row], batch.endpointWords, batch.endpoint[row] * ENDPOINT_WORDS, nowMs);
    if (peer.keypairs.confirm(keypair)) this.#exchange.completed(peer, nowMs);
    this.#rekeyBeforeTheEnd(keypair, nowMs);

    batch.offset[row] = at + transportData.TRANSPORT_DATA_HEADER_BYTES;
    batch.length[row] -= messages.TRANSPORT_DATA_MIN_BYTES;
    if (batch.length[row] === 0) return Verdict.Keepalive;
    peer.timers.dataReceived(nowMs);
    return this.#admitPacket(peer, batch, row);
  }

  /** Returns the keypair of a data message. Consecutive rows mostly have the same keypair. */
  #keypairOf(batch: PacketBatch, row: number): Keypair<Peer> | undefined {
    const index = transportData.receiverIndex(batch.bytes, batch.offset[row]);
    if (this.#lastKeypair?.localIndex === index && !this.#lastKeypair.isWiped) return this.#lastKeypair;
    const keypair = this.#sessions.keypairAt(index);
    if (keypair !== undefined) this.#lastKeypair = keypair;
    return keypair;
  }

  /** §2: the source of the inner packet must be among the sender's allowed IPs. */
  #admitPacket(peer: Peer, batch: PacketBatch, row: number): Verdict {
    const { bytes } = batch;
    const at = batch.offset[row];
    const version = ipHeader.checkIpPacket(bytes, at, batch.length[row]);
    if (version === 0) return countFor(peer, Verdict.MalformedPacket);

    const owner =
      version === 4
        ? this.#allowedIps.lookup4(bytes, at + ipHeader.IPV4_SOURCE_AT)
        : this.#allowedIps.lookup6(bytes, at + ipHeader.IPV6_SOURCE_AT);
    if (owner !== peer && (owner === undefined || owner !== peer.standsFor))
      return countFor(peer, Verdict.DisallowedSource);

    batch.length[row] = ipHeader.packetBytes(bytes, at);
    if ((batch.trafficClass[row] & ipHeader.ECN_MASK) !== 0) carryEcn(bytes, at, batch.trafficClass[row]);
    return Verdict.Pass;
  }

  #rekeyBeforeTheEnd(keypair: Keypair<Peer>, nowMs: number): void {
    const { peer } = keypair;
    if (peer.hasAskedForLastRekey || keypair !== peer.keypairs.current || !keypair.wantsRekeyOnReceive(nowMs)) return;
    peer.hasAskedForLastRekey = true;
    peer.timers.handshakeWanted(nowMs);
  }
}

function countFor(peer: Peer, verdict: Verdict): Verdict {
  peer.counters.countVerdict(verdict);
  return verdict;
}

/** Copies the marks of routers from the outer header to the inner one, if the inner ends support ECN (RFC 6040 §4.2). */
function carryEcn(bytes: Uint8Array, at: number, outerTrafficClass: number): void {
  const inner = ipHeader.trafficClass(bytes, at) & ipHeader.ECN_MASK;
  const outer = outerTrafficClass & ipHeader.ECN_MASK;
  if (inner === 0 || inner === ipHeader.ECN_CONGESTION_EXPERIENCED) return;
  if (outer === ipHeader.ECN_CONGESTION_EXPERIENCED) ipHeader.setEcn(bytes, at, outer);
  else if (outer === ipHeader.ECN_CAPABLE_1 && inner === ipHeader.ECN_CAPABLE_0) ipHeader.setEcn(bytes, at, outer);
}

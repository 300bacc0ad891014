import { HEADROOM_BYTES, type PacketBatch, TAILROOM_BYTES } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_UDP } from '../wire/ip-header.js';
import { addressEquals, addressWords, isIpv4Address, isLoopbackAddress, isUnicastAddress } from './address.js';
import { BlockPool } from './block-pool.js';
import { hasValidChecksum, hasValidTransportChecksum } from './checksum.js';
import { Icmp } from './icmp/icmp.js';
import { Identifications } from './ip/identifications.js';
import { IpProblem, IpView } from './ip/ip-view.js';
import { PathMtus } from './ip/path-mtus.js';
import { PROTOCOL_TCP } from './ip/protocols.js';
import { Reassembler } from './ip/reassembler.js';
import type { NetstackEnvironment } from './ports.js';
import { JsSegmenter } from './segments/js-segmenter.js';
import { RowMerger } from './segments/row-merger.js';
import type { Segmenter } from './segments/segmenter.js';
import { Tcp } from './tcp/tcp.js';
import { Udp } from './udp/udp.js';

const DEFAULT_BUDGET_BYTES = 256 * 1024 * 1024;

export interface NetstackOptions {
  readonly environment: NetstackEnvironment;
  /** Addresses of this host, 4 or 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
  /** MTU of the tunnel. */
  readonly mtu: number;
  /** Budget for the payload of all connections together. Default: 256 MiB. */
  readonly budgetBytes?: number;
  /** Asks for congestion marks on connections that this host opens (RFC 3168). Marks are accepted always. */
  readonly wantsEcn?: boolean;
  /** Takes packets for every unicast address, not only for our own (a gateway). */
  readonly acceptsAny?: boolean;
  /**
   * Tests the checksums of packets that come in. Off by default: the tag of the message that carried a packet covers it
   * already, as in the kernel's WireGuard.
   */
  readonly verifiesChecksums?: boolean;
  /** Cuts what TCP sends into packets. Default: the one in TypeScript. */
  readonly segmenter?: Segmenter | undefined;
}

/** Packets that were not taken, by reason. */
export interface NetstackCounters {
  malformed: number;
  badChecksum: number;
  notForUs: number;
  unknownProtocol: number;
}

/**
 * A TCP/IP stack without socket, clock or timer: packets come in as rows of a batch, and go out as rows of a batch.
 *
 * ```text
 * tunnel ─▶ write ─▶ IP ─▶ reassembly ─┬─▶ TCP  ┐            ┌─ TCP  ─┐
 *                                      ├─▶ UDP  ├─ events    ├─ UDP  ─┼─▶ read ─▶ tunnel
 *                                      └─▶ ICMP ┘            └─ ICMP ─┘
 * ```
 *
 * The host drains `tcp.takeEvent` and `udp.takeEvent` after each call, and calls `runDue` when `nextDeadline` has passed.
 *
 * Source: RFC 1122, RFC 8200, RFC 9293, RFC 768, RFC 792, RFC 4443.
 */
export class Netstack {
  readonly tcp: Tcp;
  readonly udp: Udp;
  readonly icmp: Icmp;
  readonly pool: BlockPool;
  readonly pathMtus: PathMtus;
  readonly counters: NetstackCounters = { malformed: 0, badChecksum: 0, notForUs: 0, unknownProtocol: 0 };
  readonly addresses: Int32Array[];
  mtu: number;
  readonly #acceptsAny: boolean;
  readonly #verifiesChecksums: boolean;
  readonly #view = new IpView();
  readonly #reassembler: Reassembler;
  readonly #merger = new RowMerger();
  /** By row: how many segments were joined into it. */
  #segments = new Uint16Array(0);

  constructor(options: NetstackOptions) {
    const { environment, addresses, mtu, budgetBytes = DEFAULT_BUDGET_BYTES } = options;
    this.addresses = addresses.map(addressWords);
    this.mtu = mtu;
    this.#acceptsAny = options.acceptsAny ?? false;
    this.#verifiesChecksums = options.verifiesChecksums ?? false;
    this.pool = new BlockPool(budgetBytes);
    const pathMtus = new PathMtus(() => this.mtu);
    this.pathMtus = pathMtus;
    const identifications = new Identifications(environment);
    const icmp = new Icmp({ identifications, pathMtus, isOwn: (address) => this.isOwn(address) });
    this.icmp = icmp;
    this.#reassembler = new Reassembler((local, remote, first, nowMs) => {
      icmp.reassemblyTimedOut(local, remote, first, nowMs);
    });
    this.tcp = new Tcp({
      environment,
      pool: this.pool,
      segmenter: options.segmenter ?? new JsSegmenter(),
      pathMtus,
      icmp,
      wantsEcn: options.wantsEcn ?? false,
    });
    this.udp = new Udp({ environment, pathMtus, identifications, icmp });
  }

  /** Takes the rows with verdict `Pass`, packets from the tunnel. Rows and their bytes change on the way. */
  write(batch: PacketBatch, nowMs: number): void {
    this.#merge(batch);
    for (let row = 0; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass || batch.length[row] === 0) continue;
      this.#view.segments = this.#segments[row];
      this.#arrive(batch.bytes, batch.offset[row], batch.length[row], nowMs);
    }
  }

  /** Fills `batch` from its start with packets for the tunnel. @returns Rows filled; 0: nothing waits. */
  read(batch: PacketBatch, nowMs: number): number {
    batch.clear();
    if (this.icmp.emit(batch) && this.udp.emit(batch)) this.tcp.emit(batch, nowMs);
    return batch.count;
  }

  /** Whether `read` would find something. */
  get hasOutput(): boolean {
    return this.tcp.hasOutput || this.udp.hasOutput || this.icmp.hasOutput;
  }

  /** Datagrams whose fragments were given up. */
  get fragmentsDropped(): number {
    return this.#reassembler.dropped;
  }

  nextDeadline(): number {
    return Math.min(this.tcp.nextDeadline(), this.pathMtus.nextDeadline(), this.#reassembler.nextDeadline());
  }

  runDue(nowMs: number): void {
    this.tcp.runDue(nowMs);
    this.pathMtus.runDue(nowMs);
    this.#reassembler.expire(nowMs);
  }

  /** The address to send from towards a destination: the first of its family. */
  sourceFor(destination: Int32Array): Int32Array | undefined {
    const isIpv4 = isIpv4Address(destination);
    return this.addresses.find((address) => isIpv4Address(address) === isIpv4);
  }

  /** A super segment has no checksum: where checksums are tested, each packet stays by itself. */
  #merge(batch: PacketBatch): void {
    if (this.#segments.length < batch.count) this.#segments = new Uint16Array(batch.capacity);
    if (batch.count > 1 && !this.#verifiesChecksums) this.#merger.merge(batch, this.#segments);
    else this.#segments.fill(1, 0, batch.count);
  }

  #arrive(bytes: Uint8Array, at: number, length: number, nowMs: number): void {
    const view = this.#view;
    const problem = view.read(bytes, at, length);
    if (problem !== IpProblem.Ok) {
      this.counters.malformed++;
      return;
    }
    if (!this.#isForUs(view)) {
      this.counters.notForUs++;
      return;
    }
    if (this.#verifiesChecksums && view.version === 4 && !hasValidChecksum(bytes, at, view.payloadAt - at)) {
      this.counters.badChecksum++;
      return;
    }
    if (!view.isFragment) {
      this.#dispatch(view, bytes, nowMs);
      return;
    }
    const whole = this.#reassembler.add(view, bytes, nowMs);
    if (whole === undefined) return;
    // The headers of the first fragment go in front of the payload, so that checksums and quotations find them.
    const joined = joinFragments(this.#reassembler.head, view, whole);
    this.#dispatch(view, joined, nowMs);
  }

  #dispatch(view: IpView, bytes: Uint8Array, nowMs: number): void {
    if (this.#verifiesChecksums && !this.#isTransportValid(view, bytes)) {
      this.counters.badChecksum++;
      return;
    }
    switch (view.protocol) {
      case PROTOCOL_TCP:
        this.tcp.arrive(view, bytes, nowMs);
        return;
      case PROTOCOL_UDP:
        this.udp.arrive(view, bytes, nowMs);
        return;
      case PROTOCOL_ICMP:
      case PROTOCOL_ICMPV6:
        this.icmp.arrive(view, bytes, this, nowMs);
        return;
      default:
        this.counters.unknownProtocol++;
        this.icmp.protocolUnreachable(view, bytes, nowMs);
    }
  }

  #isForUs(view: IpView): boolean {
    // Loopback addresses never come from outside (RFC 1122 §3.2.1.3 g, RFC 4291 §2.5.3).
    if (!isUnicastAddress(view.source) || isLoopbackAddress(view.source) || isMapped(view)) return false;
    if (this.#acceptsAny) return isUnicastAddress(view.destination) && !isLoopbackAddress(view.destination);
    return this.isOwn(view.destination);
  }

  /** Tests whether an address is one of this host's. */
  isOwn(wanted: Int32Array): boolean {
    return this.addresses.some((address) => addressEquals(address, 0, wanted, 0));
  }

  #isTransportValid(view: IpView, bytes: Uint8Array): boolean {
    const { payloadAt, payloadBytes, protocol, at } = view;
    if (protocol === PROTOCOL_ICMP) return hasValidChecksum(bytes, payloadAt, payloadBytes);
    // A zero in the checksum field of UDP over IPv4 says that there is none (RFC 768).
    const isUnsummed =
      protocol === PROTOCOL_UDP && view.version === 4 && bytes[payloadAt + 6] === 0 && bytes[payloadAt + 7] === 0;
    return isUnsummed || hasValidTransportChecksum(bytes, at, protocol, payloadAt, payloadBytes);
  }
}

/** IPv6 that spells an IPv4 address: it stands for IPv4 inside a host, never in a packet, where it would slip past a rule for IPv4. */
function isMapped({ version, source, destination }: IpView): boolean {
  return version === 6 && (isIpv4Address(source) || isIpv4Address(destination));
}

function joinFragments(head: Uint8Array, view: IpView, payload: Uint8Array): Uint8Array {
  const headerBytes = head.length;
  const joined = new Uint8Array(HEADROOM_BYTES + headerBytes + payload.length + TAILROOM_BYTES);
  joined.set(head, HEADROOM_BYTES);
  joined.set(payload, HEADROOM_BYTES + headerBytes);
  view.at = HEADROOM_BYTES;
  view.payloadAt = HEADROOM_BYTES + headerBytes;
  view.payloadBytes = payload.length;
  view.isFragment = false;
  return joined;
}

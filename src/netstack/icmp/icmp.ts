import type { PacketBatch } from '../../core/packets/packet-batch.js';
import {
  isLaterFragment4,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_UDP,
  readUint16,
  writeUint16,
} from '../../wire/ip-header.js';
import { isIpv4Address, isUnicastAddress } from '../address.js';
import { addBytes, addPseudoHeader, finishChecksum } from '../checksum.js';
import { writeDatagram } from '../ip/datagram-writer.js';
import type { Identifications } from '../ip/identifications.js';
import type { IpView } from '../ip/ip-view.js';
import { ipHeaderBytes, writeIpHeader } from '../ip/ip-writer.js';
import { PacketQueue } from '../ip/packet-queue.js';
import type { PathMtus } from '../ip/path-mtus.js';
import { PROTOCOL_TCP } from '../ip/protocols.js';
import { ECHO_REPLY4, ECHO_REPLY6, ECHO_REQUEST4, ECHO_REQUEST6, Echo, type EchoRequest } from './echo.js';
import { ErrorRate } from './error-rate.js';
import {
  HOPS_EXCEEDED,
  ICMP_HEADER_BYTES,
  type IcmpError,
  PARAMETER_PROBLEM6,
  PROTOCOL_CODE6,
  parseError,
  REASSEMBLY_EXCEEDED,
  TIME_EXCEEDED4,
  TIME_EXCEEDED6,
  UNREACHABLE4,
  UNREACHABLE6,
} from './icmp-error.js';
import type { RefusalKind, Refused } from './refused.js';

const MAX_QUEUE_BYTES = 512 * 1024;
const MAX_ERROR_BYTES4 = 576;
const MAX_ERROR_BYTES6 = 1_280;
const MAX_REPLIES = 1_024;

/** The kinds that this host sends. */
type SentKind = RefusalKind | 'protocol';

/** RFC 792, RFC 1812 §5.2.7.1. */
const CODES4 = { network: 0, host: 1, protocol: 2, port: 3, prohibited: 13 } as const;
/** RFC 4443 §3.1; `protocol` is code 1 of a parameter problem (§3.4). */
const CODES6 = { network: 0, host: 3, protocol: PROTOCOL_CODE6, port: 4, prohibited: 1 } as const;

/** The protocols that take errors that came in. */
export interface IcmpErrorSink {
  readonly tcp: { takeIcmpError(error: IcmpError, nowMs: number): void };
  readonly udp: { takeIcmpError(error: IcmpError, nowMs: number): void };
}

/** An echo reply for a `ping` of ours. */
export interface EchoReply {
  readonly from: Int32Array;
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly receivedMs: number;
}

export interface IcmpOptions {
  readonly identifications: Identifications;
  readonly pathMtus: PathMtus;
  /** Tests whether an address is this host's. */
  readonly isOwn: (address: Int32Array) => boolean;
}

/**
 * ICMP and ICMPv6: answers echo requests, sends and receives errors, and carries pings.
 *
 * Source: RFC 792; RFC 1122 §3.2.2; RFC 4443; RFC 5927.
 */
export class Icmp {
  readonly replies: EchoReply[] = [];
  /** Takes echo requests to addresses that are not ours (accept-any mode): `reply` or `refuse` may follow at any time. */
  onEcho: ((request: EchoRequest) => void) | undefined;
  readonly #identifications: Identifications;
  readonly #pathMtus: PathMtus;
  readonly #isOwn: (address: Int32Array) => boolean;
  /** Messages that were no messages, and errors that quote nothing that can be read. */
  malformed = 0;
  readonly #queue = new PacketQueue(MAX_QUEUE_BYTES);
  readonly #rate = new ErrorRate();

  constructor({ identifications, pathMtus, isOwn }: IcmpOptions) {
    this.#identifications = identifications;
    this.#pathMtus = pathMtus;
    this.#isOwn = isOwn;
  }

  get hasOutput(): boolean {
    return this.#queue.count > 0;
  }

  /** @returns `false` if the batch is full. */
  emit(batch: PacketBatch): boolean {
    return this.#queue.emit(batch);
  }

  arrive(view: IpView, bytes: Uint8Array, sink: IcmpErrorSink, nowMs: number): void {
    const { payloadAt, payloadBytes, version } = view;
    if (payloadBytes < ICMP_HEADER_BYTES || (version === 4) !== (view.protocol === PROTOCOL_ICMP)) {
      this.malformed++;
      return;
    }
    const type = bytes[payloadAt];
    if (type === (version === 4 ? ECHO_REQUEST4 : ECHO_REQUEST6)) this.#takeRequest(view, bytes);
    else if (type === (version === 4 ? ECHO_REPLY4 : ECHO_REPLY6)) this.#takeReply(view, bytes, nowMs);
    else this.#takeError(view, bytes, sink, nowMs);
  }

  /** Sends an echo request. */
  ping(source: Int32Array, destination: Int32Array, identifier: number, sequence: number, data: Uint8Array): void {
    const type = isIpv4Address(destination) ? ECHO_REQUEST4 : ECHO_REQUEST6;
    this.#send(source, destination, Echo.message(type, identifier, sequence, data));
  }

  /** Answers an echo request that `onEcho` was given, in the name of the address that it was sent to. */
  reply({ local, remote, identifier, sequence, data }: EchoRequest): void {
    const type = isIpv4Address(remote) ? ECHO_REPLY4 : ECHO_REPLY6;
    this.#send(local, remote, Echo.message(type, identifier, sequence, data));
  }

  /** Answers a UDP datagram to a port that nobody listens on. */
  portUnreachable(view: IpView, bytes: Uint8Array, nowMs: number): void {
    this.#answer(view, bytes, 'port', nowMs);
  }

  protocolUnreachable(view: IpView, bytes: Uint8Array, nowMs: number): void {
    this.#answer(view, bytes, 'protocol', nowMs);
  }

  /** Turns down what the program was asked about: once for each of them, so only the bound for all errors counts. */
  refuse({ local, remote, quoted }: Refused, kind: RefusalKind, nowMs: number): void {
    if (!isUnicastAddress(remote) || !isUnicastAddress(local) || !this.#rate.take(undefined, nowMs)) return;
    this.#sendError(local, remote, quoted, unreachable(isIpv4Address(remote), kind));
  }

  /** A packet's hops ended here. @param refused With the address of this host as `local`: the error comes from a router. */
  hopsExceeded({ local, remote, quoted }: Refused, nowMs: number): void {
    if (!isUnicastAddress(remote) || !this.#rate.take(remote, nowMs)) return;
    const type = isIpv4Address(remote) ? TIME_EXCEEDED4 : TIME_EXCEEDED6;
    this.#sendError(local, remote, quoted, [type, HOPS_EXCEEDED]);
  }

  /** Fragments of `remote` were given up, of which the first had come (RFC 1122 §3.3.2, RFC 8200 §4.5). */
  reassemblyTimedOut(local: Int32Array, remote: Int32Array, firstFragment: Uint8Array, nowMs: number): void {
    if (!this.#rate.take(remote, nowMs)) return;
    const type = isIpv4Address(remote) ? TIME_EXCEEDED4 : TIME_EXCEEDED6;
    this.#sendError(local, remote, firstFragment, [type, REASSEMBLY_EXCEEDED]);
  }

  /** Answers a packet with an error that quotes it, unless the rules forbid that or too many were sent. */
  #answer(view: IpView, bytes: Uint8Array, kind: SentKind, nowMs: number): void {
    if (!mayAnswer(view, bytes) || !this.#rate.take(view.source, nowMs)) return;
    const packet = bytes.subarray(view.at, view.payloadAt + view.payloadBytes);
    this.#sendError(view.destination.slice(), view.source.slice(), packet, unreachable(view.version === 4, kind));
  }

  #sendError(local: Int32Array, remote: Int32Array, packet: Uint8Array, [type, code]: readonly [number, number]): void {
    const most = isIpv4Address(remote) ? MAX_ERROR_BYTES4 : MAX_ERROR_BYTES6;
    const quoted = packet.subarray(0, most - ipHeaderBytes(remote) - ICMP_HEADER_BYTES);
    const message = new Uint8Array(ICMP_HEADER_BYTES + quoted.length);
    message[0] = type;
    message[1] = code;
    message.set(quoted, ICMP_HEADER_BYTES);
    this.#send(local, remote, message);
  }

  #takeRequest(view: IpView, bytes: Uint8Array): void {
    if (!this.#isOwn(view.destination)) {
      this.onEcho?.(Echo.request(view, bytes));
      return;
    }
    const message = bytes.slice(view.payloadAt, view.payloadAt + view.payloadBytes);
    message[0] = view.version === 4 ? ECHO_REPLY4 : ECHO_REPLY6;
    this.#send(view.destination.slice(), view.source.slice(), message);
  }

  #takeReply(view: IpView, bytes: Uint8Array, nowMs: number): void {
    if (this.replies.length >= MAX_REPLIES || !this.#isOwn(view.destination)) return;
    const at = view.payloadAt;
    this.replies.push({
      from: view.source.slice(),
      identifier: readUint16(bytes, at + 4),
      sequence: readUint16(bytes, at + 6),
      data: bytes.slice(at + ICMP_HEADER_BYTES, at + view.payloadBytes),
      receivedMs: nowMs,
    });
  }

  #takeError(view: IpView, bytes: Uint8Array, sink: IcmpErrorSink, nowMs: number): void {
    const error = parseError(view, bytes);
    if (error === undefined) return;
    if (error === 'malformed') {
      this.malformed++;
      return;
    }
    if (error.protocol === PROTOCOL_TCP) sink.tcp.takeIcmpError(error, nowMs);
    else if (error.protocol === PROTOCOL_UDP) sink.udp.takeIcmpError(error, nowMs);
    else if (error.kind === 'too-big') this.#pathMtus.refuse(error.remote, error.mtu, nowMs); // of a ping
  }

  /** @param message With its checksum field still to be filled in. */
  #send(source: Int32Array, destination: Int32Array, message: Uint8Array): void {
    const isIpv4 = isIpv4Address(destination);
    const fields = { source, destination, protocol: isIpv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, trafficClass: 0 };
    writeUint16(message, 2, 0);
    const pseudo = isIpv4 ? 0 : pseudoHeader(fields, message.length);
    writeUint16(message, 2, finishChecksum(addBytes(pseudo, message, 0, message.length)));
    const id = this.#identifications.next(source, destination);
    const packets = writeDatagram(fields, message, this.#pathMtus.mtuOf(destination), id);
    for (const packet of packets) this.#queue.push(packet);
  }
}

/** Type and code. */
function unreachable(isIpv4: boolean, kind: SentKind): [number, number] {
  if (isIpv4) return [UNREACHABLE4, CODES4[kind]];
  return [kind === 'protocol' ? PARAMETER_PROBLEM6 : UNREACHABLE6, CODES6[kind]];
}

/** The pseudo-header of a message that has no IP header in front of it yet. */
export function pseudoHeader(
  fields: { source: Int32Array; destination: Int32Array; protocol: number },
  length: number,
): number {
  const headerBytes = ipHeaderBytes(fields.destination);
  const header = new Uint8Array(headerBytes);
  writeIpHeader(header, 0, { ...fields, trafficClass: 0 }, length);
  return addPseudoHeader(header, 0, fields.protocol, length);
}

/**
 * RFC 1122 §3.2.2, RFC 4443 §2.4 e: no answer to ICMP errors, to later fragments, or where either address is not one host's.
 */
function mayAnswer(view: IpView, bytes: Uint8Array): boolean {
  if (!isUnicastAddress(view.source) || !isUnicastAddress(view.destination)) return false;
  if (view.version === 4 && isLaterFragment4(bytes, view.at)) return false;
  const type = bytes[view.payloadAt];
  if (view.protocol === PROTOCOL_ICMP) return type === ECHO_REQUEST4;
  if (view.protocol === PROTOCOL_ICMPV6) return type >= ECHO_REQUEST6;
  return true;
}

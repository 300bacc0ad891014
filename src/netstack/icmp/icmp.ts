import type { PacketBatch } from '../../core/packets/packet-batch.js';
import {
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  isLaterFragment4,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_UDP,
  readUint16,
  writeUint16,
} from '../../wire/ip-header.js';
import { isUnicastAddress } from '../address.js';
import { addBytes, addPseudoHeader, finishChecksum, readUint32 } from '../checksum.js';
import { writeDatagram } from '../ip/datagram-writer.js';
import type { IpView } from '../ip/ip-view.js';
import { ipHeaderBytes, writeIpHeader } from '../ip/ip-writer.js';
import { PacketQueue } from '../ip/packet-queue.js';
import { PROTOCOL_TCP } from '../ip/protocols.js';
import type { NetstackEnvironment } from '../ports.js';
import {
  ICMP_HEADER_BYTES,
  type IcmpError,
  PARAMETER_PROBLEM6,
  PROTOCOL_CODE6,
  parseError,
  UNREACHABLE4,
  UNREACHABLE6,
  type UnreachableKind,
} from './icmp-error.js';

const MAX_QUEUE_BYTES = 512 * 1024;
/** Linux's bound for all errors together (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f). */
const ERRORS_PER_SECOND = 1_000;
const MAX_ERROR_BYTES4 = 576;
const MAX_ERROR_BYTES6 = 1_280;

export const ECHO_REQUEST4 = 8;
export const ECHO_REPLY4 = 0;
export const ECHO_REQUEST6 = 128;
export const ECHO_REPLY6 = 129;

/** The protocols that take errors that came in. */
export interface IcmpErrorSink {
  readonly tcp: { takeIcmpError(error: IcmpError, nowMs: number): void };
  readonly udp: { takeIcmpError(error: IcmpError): void };
}

/** An echo reply for a `ping` of ours. */
export interface EchoReply {
  readonly from: Int32Array;
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly receivedMs: number;
}

/**
 * ICMP and ICMPv6: answers echo requests, sends and receives errors, and carries pings.
 *
 * Source: RFC 792; RFC 1122 §3.2.2; RFC 4443; RFC 5927.
 */
export class Icmp {
  readonly replies: EchoReply[] = [];
  /** Messages that were no messages, and errors that quote nothing that can be read. */
  malformed = 0;
  readonly #environment: NetstackEnvironment;
  readonly #mtu: () => number;
  readonly #queue = new PacketQueue(MAX_QUEUE_BYTES);
  #errors = 0;
  #errorsSinceMs = 0;

  constructor(environment: NetstackEnvironment, mtu: () => number) {
    this.#environment = environment;
    this.#mtu = mtu;
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
    if (type === (version === 4 ? ECHO_REQUEST4 : ECHO_REQUEST6)) this.#answerEcho(view, bytes);
    else if (type === (version === 4 ? ECHO_REPLY4 : ECHO_REPLY6)) this.#takeReply(view, bytes, nowMs);
    else this.#takeError(view, bytes, sink, nowMs);
  }

  /** Sends an echo request. */
  ping(source: Int32Array, destination: Int32Array, identifier: number, sequence: number, data: Uint8Array): void {
    const isIpv4 = ipHeaderBytes(destination) === IPV4_HEADER_BYTES;
    const message = new Uint8Array(ICMP_HEADER_BYTES + data.length);
    message[0] = isIpv4 ? ECHO_REQUEST4 : ECHO_REQUEST6;
    writeUint16(message, 4, identifier);
    writeUint16(message, 6, sequence);
    message.set(data, ICMP_HEADER_BYTES);
    this.#send(source, destination, message);
  }

  /** Answers a UDP datagram to a port that nobody listens on. */
  portUnreachable(view: IpView, bytes: Uint8Array, nowMs: number): void {
    this.sendUnreachable(view, bytes, 'port', nowMs);
  }

  protocolUnreachable(view: IpView, bytes: Uint8Array, nowMs: number): void {
    this.sendUnreachable(view, bytes, 'protocol', nowMs);
  }

  /** Answers a packet with an error that quotes it, unless the rules forbid that or too many were sent. */
  sendUnreachable(view: IpView, bytes: Uint8Array, kind: UnreachableKind, nowMs: number): void {
    if (!mayAnswer(view, bytes) || !this.#isWithinRate(nowMs)) return;
    const isIpv4 = view.version === 4;
    const code = isIpv4 ? CODES4[kind] : CODES6[kind];
    const headerBytes = isIpv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    const room = (isIpv4 ? MAX_ERROR_BYTES4 : MAX_ERROR_BYTES6) - headerBytes - ICMP_HEADER_BYTES;
    const quoted = bytes.subarray(view.at, view.payloadAt + view.payloadBytes).subarray(0, room);
    const message = new Uint8Array(ICMP_HEADER_BYTES + quoted.length);
    message[0] = isIpv4 ? UNREACHABLE4 : code === PROTOCOL_CODE6 ? PARAMETER_PROBLEM6 : UNREACHABLE6;
    message[1] = code;
    message.set(quoted, ICMP_HEADER_BYTES);
    this.#send(view.destination.slice(), view.source.slice(), message);
  }

  #answerEcho(view: IpView, bytes: Uint8Array): void {
    const message = bytes.slice(view.payloadAt, view.payloadAt + view.payloadBytes);
    message[0] = view.version === 4 ? ECHO_REPLY4 : ECHO_REPLY6;
    this.#send(view.destination.slice(), view.source.slice(), message);
  }

  #takeReply(view: IpView, bytes: Uint8Array, nowMs: number): void {
    if (this.replies.length >= MAX_REPLIES) return;
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
    else if (error.protocol === PROTOCOL_UDP) sink.udp.takeIcmpError(error);
  }

  #isWithinRate(nowMs: number): boolean {
    if (nowMs - this.#errorsSinceMs >= 1_000) {
      this.#errorsSinceMs = nowMs;
      this.#errors = 0;
    }
    return this.#errors++ < ERRORS_PER_SECOND;
  }

  /** @param message With its checksum field still to be filled in. */
  #send(source: Int32Array, destination: Int32Array, message: Uint8Array): void {
    const isIpv4 = ipHeaderBytes(destination) === IPV4_HEADER_BYTES;
    const protocol = isIpv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
    const fields = { source, destination, protocol, trafficClass: 0 };
    writeUint16(message, 2, 0);
    const pseudo = isIpv4 ? 0 : pseudoHeader(fields, message.length);
    writeUint16(message, 2, finishChecksum(addBytes(pseudo, message, 0, message.length)));
    const identification = new Uint8Array(4);
    this.#environment.random(identification);
    for (const packet of writeDatagram(fields, message, this.#mtu(), readUint32(identification, 0)))
      this.#queue.push(packet);
  }
}

const MAX_REPLIES = 1_024;
/** RFC 792, RFC 1812 §5.2.7.1. */
const CODES4 = { network: 0, host: 1, protocol: 2, port: 3, 'too-big': 4, prohibited: 13, other: 1 } as const;
/** RFC 4443 §3.1; `protocol` is code 1 of a parameter problem (§3.4). */
const CODES6 = { network: 0, host: 3, protocol: 1, port: 4, 'too-big': 0, prohibited: 1, other: 3 } as const;

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

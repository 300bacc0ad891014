import { isIpv4Mapped } from '../../wire/address-text.js';
import { PROTOCOL_UDP } from '../../wire/ip-header.js';

/**
 * The messages of the Port Control Protocol that open a port: a MAP request and what a router answers.
 *
 * ```text
 *  request   0   1   2      4          8                24                36       37     40       42        44
 *            | 2 | 1 | 0  0 | lifetime | client address | nonce           | proto- | 0    | intern.| suggest.| suggest. |
 *            |   |   |      | s        | 16             | 12              | col 17 |      | port   | port    | address  |
 *
 *  response  0   1     2   3        4          8       12    24
 *            | 2 | 129 | 0 | result | lifetime | epoch | 0   | as in the request, with what was assigned
 *            |   |     |   |        | s        | s     |     |
 * ```
 *
 * IPv4 addresses are written as IPv4-mapped ones (§5). Integers are big-endian.
 *
 * Source: RFC 6887 §7.1, §7.2, §11.1.
 */
export const PCP_VERSION = 2;
export const PCP_NONCE_BYTES = 12;
const OPCODE_ANNOUNCE = 0;
const OPCODE_MAP = 1;
const IS_RESPONSE = 0x80;
const HEADER_BYTES = 24;
const MAP_BYTES = 60;
/** The longest message (§7). */
const MAX_BYTES = 1100;

const LIFETIME_AT = 4;
const CLIENT_ADDRESS_AT = 8;
const EPOCH_AT = 8;
const NONCE_AT = 24;
const PROTOCOL_AT = 36;
const INTERNAL_PORT_AT = 40;
const EXTERNAL_PORT_AT = 42;
const EXTERNAL_ADDRESS_AT = 44;

/** Two of the result codes; every other one refuses (§7.4). */
export const PCP_SUCCESS = 0;
export const PCP_UNSUPPORTED_VERSION = 1;

/** An address and a port on the outside of the router. */
export interface ExternalAddress {
  /** Four bytes, or sixteen. */
  readonly address: Uint8Array;
  readonly port: number;
}

export interface PcpMapRequest {
  /** The address that the router sees as the source, 4 bytes or 16; another one is refused (§8.2). */
  readonly clientAddress: Uint8Array;
  /** Twelve random bytes, which stay the same for the life of the mapping (§11.2). */
  readonly nonce: Uint8Array;
  readonly internalPort: number;
  /** 0 deletes the mapping (§15.1). */
  readonly lifetimeSeconds: number;
  /** The router assigns this if it can. It is not sent with lifetime 0. */
  readonly suggested?: ExternalAddress | undefined;
}

/** The part of a MAP response that names a mapping. */
export interface PcpMap extends ExternalAddress {
  readonly nonce: Uint8Array;
  readonly protocol: number;
  readonly internalPort: number;
}

export interface PcpResponse {
  readonly kind: 'announce' | 'map';
  readonly result: number;
  /** How long the mapping lives, or how long the error is expected to last (§7.2). */
  readonly lifetimeSeconds: number;
  readonly epochSeconds: number;
  /** Absent from announcements, and from errors without a body. */
  readonly map?: PcpMap;
}

/** Writes a request for a mapping of a UDP port. */
export function formatPcpMapRequest(request: PcpMapRequest): Uint8Array {
  const { clientAddress, nonce, internalPort, lifetimeSeconds } = request;
  const suggested = lifetimeSeconds === 0 ? undefined : request.suggested;
  const message = new Uint8Array(MAP_BYTES);
  const view = new DataView(message.buffer);
  message[0] = PCP_VERSION;
  message[1] = OPCODE_MAP;
  view.setUint32(LIFETIME_AT, lifetimeSeconds);
  writeAddress(message, CLIENT_ADDRESS_AT, clientAddress);
  message.set(nonce, NONCE_AT);
  message[PROTOCOL_AT] = PROTOCOL_UDP;
  view.setUint16(INTERNAL_PORT_AT, internalPort);
  view.setUint16(EXTERNAL_PORT_AT, suggested?.port ?? 0);
  writeAddress(message, EXTERNAL_ADDRESS_AT, suggested?.address ?? new Uint8Array(clientAddress.length));
  return message;
}

/**
 * Reads a response to MAP, or an ANNOUNCE.
 *
 * @returns `undefined` for other messages, and for lengths that §8.3 has clients ignore.
 */
export function parsePcpResponse(bytes: Uint8Array): PcpResponse | undefined {
  const { length } = bytes;
  if (length < HEADER_BYTES || length > MAX_BYTES || length % 4 !== 0) return undefined;
  if (bytes[0] !== PCP_VERSION) return undefined;
  const kind = kindOf(bytes[1]!);
  if (kind === undefined) return undefined;

  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const header = {
    kind,
    result: bytes[3]!,
    lifetimeSeconds: view.getUint32(LIFETIME_AT),
    epochSeconds: view.getUint32(EPOCH_AT),
  };
  if (kind === 'announce' || length < MAP_BYTES) return header;
  return { ...header, map: readMap(bytes, view) };
}

/**
 * Tests whether a response belongs to a mapping (§11.4). An error without a body, which a router may send, belongs to
 * every mapping; a success without one does not say what was assigned.
 */
export function isAnswerToMap(response: PcpResponse, wanted: Pick<PcpMap, 'nonce' | 'internalPort'>): boolean {
  const { kind, map, result } = response;
  if (kind !== 'map') return false;
  if (map === undefined) return result !== PCP_SUCCESS;
  if (map.protocol !== PROTOCOL_UDP || map.internalPort !== wanted.internalPort) return false;
  return map.nonce.every((byte, at) => byte === wanted.nonce[at]);
}

/**
 * Tests for the answer of a router that does not speak this version, which NAT-PMP servers give too: their result code
 * has 16 bits in the place of a reserved byte and ours.
 *
 * Source: RFC 6887 §9, Appendix A; RFC 6886 §3.5.
 */
export function refusesPcpVersion(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  return bytes[0] !== PCP_VERSION && bytes[2] === 0 && bytes[3] === PCP_UNSUPPORTED_VERSION;
}

function kindOf(opcode: number): PcpResponse['kind'] | undefined {
  if (opcode === (IS_RESPONSE | OPCODE_MAP)) return 'map';
  return opcode === (IS_RESPONSE | OPCODE_ANNOUNCE) ? 'announce' : undefined;
}

function readMap(bytes: Uint8Array, view: DataView): PcpMap {
  const address = new Uint8Array(bytes.subarray(EXTERNAL_ADDRESS_AT, MAP_BYTES));
  return {
    nonce: new Uint8Array(bytes.subarray(NONCE_AT, NONCE_AT + PCP_NONCE_BYTES)),
    protocol: bytes[PROTOCOL_AT]!,
    internalPort: view.getUint16(INTERNAL_PORT_AT),
    port: view.getUint16(EXTERNAL_PORT_AT),
    address: isIpv4Mapped(address) ? address.slice(12) : address,
  };
}

function writeAddress(message: Uint8Array, at: number, address: Uint8Array): void {
  if (address.length === 16) {
    message.set(address, at);
    return;
  }
  message.fill(0xff, at + 10, at + 12);
  message.set(address, at + 12);
}

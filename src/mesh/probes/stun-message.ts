import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Probes are STUN Binding messages with an integrity that only the two ends can make.
 *
 * ```text
 *  0      2        4              8                20
 *  | type | length | magic cookie | transaction id | attributes: type, length, value, padding to 4
 *  |      | BE     | 2112A442     | 12             | USERNAME, XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY-SHA256
 * ```
 *
 * Source: RFC 8489 §5, §14.2, §14.3, §14.6.
 */
export const STUN_HEADER_BYTES = 20;
export const TRANSACTION_ID_BYTES = 12;
export const USERNAME_BYTES = 8;
const MAGIC_COOKIE = 0x2112_a442;
const MAX_STUN_BYTES = 548;

const REQUEST = 0x0001;
const RESPONSE = 0x0101;
const USERNAME = 0x0006;
const XOR_MAPPED_ADDRESS = 0x0020;
const INTEGRITY = 0x001c;
const INTEGRITY_BYTES = 32;

/** An address and a port: 4 or 16 bytes. */
export interface MappedAddress {
  readonly address: Uint8Array;
  readonly port: number;
}

/** A probe whose integrity was not checked. */
export interface StunMessage {
  readonly isRequest: boolean;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  /** 8 bytes. */
  readonly username?: Uint8Array;
  readonly mapped?: MappedAddress;
  /** Where the integrity begins. */
  readonly integrityAt: number;
}

/** Tests the length and the magic cookie. A message of WireGuard must have been ruled out: its index may equal the cookie. */
export function isStun(bytes: Uint8Array, at: number, length: number): boolean {
  return length >= STUN_HEADER_BYTES && length <= MAX_STUN_BYTES && readUint32(bytes, at + 4) === MAGIC_COOKIE;
}

/** @returns `undefined` for anything but a Binding request or success response with an integrity at its end. */
export function parseStun(bytes: Uint8Array): StunMessage | undefined {
  if (!isStun(bytes, 0, bytes.length) || readUint16(bytes, 2) !== bytes.length - STUN_HEADER_BYTES) return undefined;
  const type = readUint16(bytes, 0);
  if (type !== REQUEST && type !== RESPONSE) return undefined;
  const attributes = readAttributes(bytes);
  const integrityAt = bytes.length - 4 - INTEGRITY_BYTES;
  if (attributes?.get(INTEGRITY)?.byteOffset !== bytes.byteOffset + integrityAt + 4) return undefined;
  if (attributes.get(INTEGRITY)!.length !== INTEGRITY_BYTES) return undefined;
  const username = attributes.get(USERNAME);
  const xored = attributes.get(XOR_MAPPED_ADDRESS);
  const mapped = xored === undefined ? undefined : readXored(xored, bytes);
  if (username !== undefined && username.length !== USERNAME_BYTES) return undefined;
  if (xored !== undefined && mapped === undefined) return undefined;
  return {
    isRequest: type === REQUEST,
    transactionId: bytes.subarray(8, STUN_HEADER_BYTES),
    ...(username === undefined ? {} : { username }),
    ...(mapped === undefined ? {} : { mapped }),
    integrityAt,
  };
}

/** @param username 8 bytes. @param key Key of the integrity. */
export function formatRequest(transactionId: Uint8Array, username: Uint8Array, key: Uint8Array): Uint8Array {
  return withIntegrity(header(REQUEST, transactionId), attribute(USERNAME, username), key);
}

/** @param mapped The address that the request came from. */
export function formatResponse(transactionId: Uint8Array, mapped: MappedAddress, key: Uint8Array): Uint8Array {
  const head = header(RESPONSE, transactionId);
  const { address, port } = mapped;
  const value = new Uint8Array(4 + address.length);
  value[1] = address.length === 4 ? 1 : 2;
  value[2] = (port >> 8) ^ head[4]!;
  value[3] = (port & 0xff) ^ head[5]!;
  for (let i = 0; i < address.length; i++) value[4 + i] = address[i]! ^ head[4 + i]!;
  return withIntegrity(head, attribute(XOR_MAPPED_ADDRESS, value), key);
}

/** Tests the integrity of a message that `parseStun` has read. */
export function hasIntegrity(bytes: Uint8Array, { integrityAt }: StunMessage, key: Uint8Array): boolean {
  const found = bytes.subarray(integrityAt + 4);
  return timingSafeEqual(integrityOf(bytes.subarray(0, integrityAt), key), found);
}

function readAttributes(bytes: Uint8Array): Map<number, Uint8Array> | undefined {
  const attributes = new Map<number, Uint8Array>();
  for (let at = STUN_HEADER_BYTES; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined;
    const length = readUint16(bytes, at + 2);
    const end = at + 4 + length;
    if (end > bytes.length) return undefined;
    const type = readUint16(bytes, at);
    if (!attributes.has(type)) attributes.set(type, bytes.subarray(at + 4, end)); // §14: the first one counts
    at = (end + 3) & ~3;
  }
  return attributes;
}

function readXored(value: Uint8Array, message: Uint8Array): MappedAddress | undefined {
  const addressBytes = value[1] === 1 ? 4 : value[1] === 2 ? 16 : 0;
  if (addressBytes === 0 || value.length !== 4 + addressBytes) return undefined;
  const address = value.subarray(4).map((byte, i) => byte ^ message[4 + i]!);
  return { address, port: ((value[2]! ^ message[4]!) << 8) | (value[3]! ^ message[5]!) };
}

function header(type: number, transactionId: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(STUN_HEADER_BYTES);
  writeUint16(bytes, 0, type);
  writeUint16(bytes, 4, MAGIC_COOKIE >>> 16);
  writeUint16(bytes, 6, MAGIC_COOKIE & 0xffff);
  bytes.set(transactionId, 8);
  return bytes;
}

/** @param value A multiple of 4 bytes. */
function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + value.length);
  writeUint16(bytes, 0, type);
  writeUint16(bytes, 2, value.length);
  bytes.set(value, 4);
  return bytes;
}

function withIntegrity(head: Uint8Array, body: Uint8Array, key: Uint8Array): Uint8Array {
  const covered = Buffer.concat([head, body]);
  writeUint16(covered, 2, body.length + 4 + INTEGRITY_BYTES);
  return Buffer.concat([covered, attribute(INTEGRITY, integrityOf(covered, key))]);
}

function integrityOf(covered: Uint8Array, key: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(covered).digest();
}

function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((readUint16(bytes, at) << 16) | readUint16(bytes, at + 2)) >>> 0;
}

function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

/**
 * Messages of SOCKS version 5, read from the start of a buffer and written.
 *
 *     greeting      VER=5 NMETHODS METHODS…
 *     credentials   VER=1 ULEN UNAME… PLEN PASSWD…
 *     request       VER=5 CMD RSV=0 ATYP DST.ADDR… DST.PORT
 *     reply         VER=5 REP RSV=0 ATYP BND.ADDR… BND.PORT
 *
 * Source: RFC 1928 §3–§6; RFC 1929 §2.
 */
import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';
import type { Destination } from '../exit.js';

export const VERSION_5 = 5;
const CREDENTIALS_VERSION = 1;

export const Method = { None: 0, Credentials: 2, Unacceptable: 0xff } as const;
export const Command = { Connect: 1, Bind: 2, UdpAssociate: 3 } as const;
const AddressType = { Ipv4: 1, Domain: 3, Ipv6: 4 } as const;

/** RFC 1928 §6. */
export const Reply = {
  Succeeded: 0,
  GeneralFailure: 1,
  NotAllowed: 2,
  NetworkUnreachable: 3,
  HostUnreachable: 4,
  ConnectionRefused: 5,
  TtlExpired: 6,
  CommandNotSupported: 7,
  AddressTypeNotSupported: 8,
} as const;

/** A message and its length in bytes; `incomplete` while bytes are missing; or the reason why there is none. */
export type Parsed<Message, Problem extends string> =
  | { readonly kind: 'message'; readonly message: Message; readonly bytes: number }
  | { readonly kind: 'incomplete' }
  | (Problem extends string ? { readonly kind: Problem } : never);

export interface Credentials5 {
  readonly username: Uint8Array;
  readonly password: Uint8Array;
}

export interface Request5 {
  readonly command: number;
  readonly destination: Destination;
}

const INCOMPLETE = { kind: 'incomplete' } as const;
const MALFORMED = { kind: 'malformed' } as const;

/** Reads the methods that a client offers. */
export function parseGreeting(bytes: Uint8Array): Parsed<Uint8Array, 'malformed'> {
  if (bytes.length > 0 && bytes[0] !== VERSION_5) return MALFORMED;
  if (bytes.length < 2) return INCOMPLETE;
  const end = 2 + bytes[1]!;
  return bytes.length < end ? INCOMPLETE : { kind: 'message', message: bytes.subarray(2, end), bytes: end };
}

export function parseCredentials(bytes: Uint8Array): Parsed<Credentials5, 'malformed'> {
  if (bytes.length > 0 && bytes[0] !== CREDENTIALS_VERSION) return MALFORMED;
  if (bytes.length < 2) return INCOMPLETE;
  const passwordLengthAt = 2 + bytes[1]!;
  if (bytes.length <= passwordLengthAt) return INCOMPLETE;
  const end = passwordLengthAt + 1 + bytes[passwordLengthAt]!;
  if (bytes.length < end) return INCOMPLETE;
  const username = bytes.subarray(2, passwordLengthAt);
  const password = bytes.subarray(passwordLengthAt + 1, end);
  return { kind: 'message', message: { username, password }, bytes: end };
}

export function parseRequest(bytes: Uint8Array): Parsed<Request5, 'malformed' | 'unknown-address-type'> {
  if (bytes.length > 0 && bytes[0] !== VERSION_5) return MALFORMED;
  if (bytes.length < 4) return INCOMPLETE;
  const end = parseAddress(bytes, 3);
  if (end.kind !== 'message') return end;
  return {
    kind: 'message',
    message: { command: bytes[1]!, destination: end.message },
    bytes: end.bytes,
  };
}

/** Reads ATYP, address and port. `bytes` of the result counts from the start of the buffer. */
export function parseAddress(bytes: Uint8Array, at: number): Parsed<Destination, 'unknown-address-type'> {
  if (bytes.length <= at + 1) return bytes.length > at && !isKnown(bytes[at]!) ? UNKNOWN : INCOMPLETE;
  const type = bytes[at]!;
  if (!isKnown(type)) return UNKNOWN;
  const from = type === AddressType.Domain ? at + 2 : at + 1;
  const portAt = from + (type === AddressType.Domain ? bytes[at + 1]! : type === AddressType.Ipv4 ? 4 : 16);
  if (bytes.length < portAt + 2) return INCOMPLETE;
  const raw = bytes.subarray(from, portAt);
  const host = type === AddressType.Domain ? Buffer.from(raw).toString('utf8') : formatIpAddress(raw);
  const port = (bytes[portAt]! << 8) | bytes[portAt + 1]!;
  return { kind: 'message', message: { host, port }, bytes: portAt + 2 };
}

const UNKNOWN = { kind: 'unknown-address-type' } as const;

function isKnown(type: number): boolean {
  return type === AddressType.Ipv4 || type === AddressType.Domain || type === AddressType.Ipv6;
}

/** Writes a reply. An address that is not known is written as 0.0.0.0. */
export function formatReply(code: number, host = '0.0.0.0', port = 0): Uint8Array {
  return Buffer.concat([Uint8Array.of(VERSION_5, code, 0), formatAddress(host, port)]);
}

/** Writes ATYP, address and port. */
export function formatAddress(host: string, port: number): Uint8Array {
  const address = parseIpAddress(host) ?? new Uint8Array(4);
  const type = address.length === 4 ? AddressType.Ipv4 : AddressType.Ipv6;
  return Uint8Array.of(type, ...address, port >> 8, port & 0xff);
}

export function formatMethod(method: number): Uint8Array {
  return Uint8Array.of(VERSION_5, method);
}

export function formatCredentialsReply(isAccepted: boolean): Uint8Array {
  return Uint8Array.of(CREDENTIALS_VERSION, isAccepted ? 0 : 1);
}

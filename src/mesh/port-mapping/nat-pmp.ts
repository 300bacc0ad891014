import { readUint16, writeUint16 } from '../../wire/ip-header.js';

/**
 * The messages of the NAT Port Mapping Protocol: one asks for the router's public address, one opens a UDP port.
 *
 * ```text
 *  request    | 0 | 0 |                                    public address (§3.2)
 *             | 0 | 1 | 0  0 | internal | suggested | lifetime, s |      mapping (§3.3)
 *             0   1   2      4          6           8             12
 *
 *  response   | 0 | 128 | result | epoch, s | address |
 *             | 0 | 129 | result | epoch, s | internal | external | lifetime, s |
 *             0   1     2        4          8          10         12            16
 * ```
 *
 * Integers are big-endian. A server that refuses the version answers with the first eight bytes only (§3.5).
 *
 * Source: RFC 6886 §3.2, §3.3, §3.5.
 */
export const NAT_PMP_VERSION = 0;
export const NAT_PMP_SUCCESS = 0;
const OPCODE_ADDRESS = 0;
const OPCODE_MAP_UDP = 1;
const IS_RESPONSE = 0x80;
const ADDRESS_REQUEST_BYTES = 2;
const ADDRESS_RESPONSE_BYTES = 12;
const MAP_REQUEST_BYTES = 12;
const MAP_RESPONSE_BYTES = 16;

export interface NatPmpMapRequest {
  readonly internalPort: number;
  /** 0 deletes the mapping (§3.4). */
  readonly lifetimeSeconds: number;
  /** The router assigns this if it can. It is not sent with lifetime 0. */
  readonly suggestedPort?: number | undefined;
}

interface NatPmpHeader {
  /** 0 is success; the other codes are in §3.5. */
  readonly result: number;
  /** Seconds since the router started or lost its mappings (§3.6). */
  readonly epochSeconds: number;
}

export interface NatPmpAddress extends NatPmpHeader {
  readonly kind: 'address';
  /** Four bytes, without a meaning if the request was refused. */
  readonly address: Uint8Array;
}

export interface NatPmpMap extends NatPmpHeader {
  readonly kind: 'map';
  readonly internalPort: number;
  readonly port: number;
  readonly lifetimeSeconds: number;
}

export type NatPmpResponse = NatPmpAddress | NatPmpMap;

export function formatNatPmpAddressRequest(): Uint8Array {
  return new Uint8Array(ADDRESS_REQUEST_BYTES);
}

/** Writes a request for a mapping of a UDP port. */
export function formatNatPmpMapRequest(request: NatPmpMapRequest): Uint8Array {
  const { internalPort, lifetimeSeconds, suggestedPort = 0 } = request;
  const message = new Uint8Array(MAP_REQUEST_BYTES);
  message[1] = OPCODE_MAP_UDP;
  writeUint16(message, 4, internalPort);
  writeUint16(message, 6, lifetimeSeconds === 0 ? 0 : suggestedPort);
  new DataView(message.buffer).setUint32(8, lifetimeSeconds);
  return message;
}

/** Reads a response, or an announcement of the public address (§3.2.1). @returns `undefined` for other messages. */
export function parseNatPmpResponse(bytes: Uint8Array): NatPmpResponse | undefined {
  if (bytes.length < ADDRESS_RESPONSE_BYTES || bytes[0] !== NAT_PMP_VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = { result: readUint16(bytes, 2), epochSeconds: view.getUint32(4) };
  if (bytes[1] === (IS_RESPONSE | OPCODE_ADDRESS))
    return { kind: 'address', ...header, address: new Uint8Array(bytes.subarray(8, 12)) };
  if (bytes[1] !== (IS_RESPONSE | OPCODE_MAP_UDP) || bytes.length < MAP_RESPONSE_BYTES) return undefined;
  return {
    kind: 'map',
    ...header,
    internalPort: readUint16(bytes, 8),
    port: readUint16(bytes, 10),
    lifetimeSeconds: view.getUint32(12),
  };
}

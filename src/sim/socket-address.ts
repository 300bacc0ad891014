import { formatIpAddress, parseIpAddress } from '../control/ip-text.js';
import {
  ENDPOINT_ADDRESS_AT,
  ENDPOINT_FAMILY_AT,
  ENDPOINT_PORT_AT,
  ENDPOINT_SOURCE_ADDRESS_AT,
  ENDPOINT_SOURCE_INTERFACE_AT,
  Endpoint,
} from '../wire/endpoint.js';

/** An IP address, as text in its canonical form, and a UDP port. Immutable. */
export class SocketAddress {
  readonly address: string;
  readonly port: number;

  /** @param address Any textual form; stored in canonical form. */
  constructor(address: string, port: number) {
    this.address = formatIpAddress(addressBytes(address));
    this.port = port;
  }

  /** Reads the remote address of an endpoint record that starts at byte `at`. */
  static fromRecord(bytes: Uint8Array, at: number): SocketAddress {
    const length = bytes[at + ENDPOINT_FAMILY_AT] === 4 ? 4 : 16;
    const address = bytes.subarray(at + ENDPOINT_ADDRESS_AT, at + ENDPOINT_ADDRESS_AT + length);
    return new SocketAddress(
      formatIpAddress(address),
      (bytes[at + ENDPOINT_PORT_AT]! << 8) | bytes[at + ENDPOINT_PORT_AT + 1]!,
    );
  }

  get isIpv6(): boolean {
    return this.address.includes(':');
  }

  /** @param localAddress The destination of the datagram, which becomes the sticky source, on interface 1. */
  toEndpoint(localAddress?: string): Endpoint {
    const endpoint = Endpoint.from(addressBytes(this.address), this.port);
    if (localAddress !== undefined) {
      endpoint.words[ENDPOINT_SOURCE_INTERFACE_AT / 4] = 1;
      endpoint.bytes.set(addressBytes(localAddress), ENDPOINT_SOURCE_ADDRESS_AT);
    }
    return endpoint;
  }

  equals(other: SocketAddress): boolean {
    return this.address === other.address && this.port === other.port;
  }

  toString(): string {
    return this.isIpv6 ? `[${this.address}]:${this.port}` : `${this.address}:${this.port}`;
  }
}

/** Returns the source address in an endpoint record, or `undefined` where the system chooses. */
export function recordSource(bytes: Uint8Array, at: number): string | undefined {
  if (!bytes.subarray(at + ENDPOINT_SOURCE_INTERFACE_AT, at + ENDPOINT_SOURCE_INTERFACE_AT + 4).some((byte) => byte))
    return undefined;
  const length = bytes[at + ENDPOINT_FAMILY_AT] === 4 ? 4 : 16;
  return formatIpAddress(bytes.subarray(at + ENDPOINT_SOURCE_ADDRESS_AT, at + ENDPOINT_SOURCE_ADDRESS_AT + length));
}

/** @throws {RangeError} if the text is no IP address. */
export function addressBytes(text: string): Uint8Array {
  const bytes = parseIpAddress(text);
  if (bytes === undefined) throw new RangeError(`${text} is no IP address`);
  return bytes;
}

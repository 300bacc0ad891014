/**
 * The outer address of a peer, as a record of fixed size that the socket layer and the core share.
 *
 * ```text
 *  0        1   2        4          8                24               28               44
 *  | family | 0 | port   | scope id | remote address | source ifindex | source address |
 *  | 4,6,f0 |   | u16 BE | u32      | 16             | u32            | 16             |
 * ```
 *
 * An IPv4 address takes the first four of its 16 bytes. Family f0 stands for a path that is no UDP address, such as a
 * relay: the 16 bytes are its id, which only the host interprets, and port and scope are 0. The source is the local
 * address that the peer's datagrams were sent to: answers leave from that address ("sticky source"). Source ifindex 0
 * means that the system chooses. Words without "BE" are in the machine's byte order and never reach the wire.
 *
 * Source: whitepaper §2.1 (endpoints and roaming); ip(7) IP_PKTINFO; RFC 3542 §6.
 */
export const ENDPOINT_BYTES = 44;
export const ENDPOINT_WORDS = ENDPOINT_BYTES / 4;

export const ENDPOINT_FAMILY_AT = 0;
export const ENDPOINT_PORT_AT = 2;
export const ENDPOINT_SCOPE_AT = 4;
export const ENDPOINT_ADDRESS_AT = 8;
export const ENDPOINT_SOURCE_INTERFACE_AT = 24;
export const ENDPOINT_SOURCE_ADDRESS_AT = 28;

/** Words from here on are the source. */
const SOURCE_WORD = ENDPOINT_SOURCE_INTERFACE_AT / 4;

export type IpFamily = 4 | 6;
/** The family of paths that are no UDP address. */
export const FAMILY_PATH = 0xf0;
export type EndpointFamily = IpFamily | typeof FAMILY_PATH;

const IPV4_ADDRESS_BYTES = 4;
const LONG_ADDRESS_BYTES = 16;

/** Bytes that the address of a family takes: 4 for IPv4, 16 for IPv6 and for path ids. */
export function addressLength(family: number): number {
  return family === 4 ? IPV4_ADDRESS_BYTES : LONG_ADDRESS_BYTES;
}

/** One endpoint record with memory of its own. */
export class Endpoint {
  readonly bytes = new Uint8Array(ENDPOINT_BYTES);
  readonly words = new Int32Array(this.bytes.buffer);

  /**
   * @param address 4 or 16 bytes; the length decides the family.
   * @param port 0–65,535. Nothing is sent to port 0.
   * @param scopeId Interface index of a link-local IPv6 address, else 0.
   */
  static from(address: Uint8Array, port: number, scopeId = 0): Endpoint {
    const endpoint = new Endpoint();
    endpoint.bytes[ENDPOINT_FAMILY_AT] = address.length === 4 ? 4 : 6;
    endpoint.bytes[ENDPOINT_PORT_AT] = port >> 8;
    endpoint.bytes[ENDPOINT_PORT_AT + 1] = port;
    endpoint.words[ENDPOINT_SCOPE_AT / 4] = scopeId;
    endpoint.bytes.set(address, ENDPOINT_ADDRESS_AT);
    return endpoint;
  }

  /** @param id 16 bytes that name the path. Copied. */
  static forPath(id: Uint8Array): Endpoint {
    const endpoint = new Endpoint();
    endpoint.bytes[ENDPOINT_FAMILY_AT] = FAMILY_PATH;
    endpoint.bytes.set(id, ENDPOINT_ADDRESS_AT);
    return endpoint;
  }

  get family(): EndpointFamily {
    const family = this.bytes[ENDPOINT_FAMILY_AT];
    return family === 4 || family === FAMILY_PATH ? family : 6;
  }

  get port(): number {
    return (this.bytes[ENDPOINT_PORT_AT] << 8) | this.bytes[ENDPOINT_PORT_AT + 1];
  }

  get scopeId(): number {
    return this.words[ENDPOINT_SCOPE_AT / 4] >>> 0;
  }

  /** 4 or 16 bytes, which are the id of a path; a view, not a copy. */
  get address(): Uint8Array {
    return this.bytes.subarray(ENDPOINT_ADDRESS_AT, ENDPOINT_ADDRESS_AT + addressLength(this.family));
  }

  get hasSource(): boolean {
    return this.words[SOURCE_WORD] !== 0;
  }

  /** Lets the system choose the local address again. */
  clearSource(): void {
    this.words.fill(0, SOURCE_WORD);
  }

  clone(): Endpoint {
    const copy = new Endpoint();
    copy.words.set(this.words);
    return copy;
  }
}

/** Tests whether two records are equal, source included. `at` counts words. */
export function endpointEquals(a: Int32Array, aAt: number, b: Int32Array, bAt: number): boolean {
  for (let i = 0; i < ENDPOINT_WORDS; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/** Tests whether two records name the same remote address and port. `at` counts words. */
export function remoteEquals(a: Int32Array, aAt: number, b: Int32Array, bAt: number): boolean {
  for (let i = 0; i < SOURCE_WORD; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/**
 * Tests whether a datagram can be sent to a record: port 0 is no destination, while paths have no port. `at` counts
 * words.
 *
 * Source: RFC 768 (a source port of zero means that no reply is expected).
 */
export function isReachable(words: Int32Array, at: number): boolean {
  return words[at] >>> 16 !== 0 || words[at] === FAMILY_PATH;
}

export function copyEndpoint(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): void {
  for (let i = 0; i < ENDPOINT_WORDS; i++) to[toAt + i] = from[fromAt + i];
}

import type { SocketAddress } from './socket-address.js';

/** A UDP datagram on its way. Whoever holds it may keep the bytes, nobody changes them. */
export interface Datagram {
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
  /** The TOS byte (IPv4) or traffic class (IPv6). */
  readonly trafficClass: number;
}

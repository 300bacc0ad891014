import type { SocketAddress } from './socket-address.js';

/** A UDP datagram in flight. Its bytes may be kept but must not be changed. */
export interface Datagram {
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
  /** The TOS byte (IPv4) or traffic class (IPv6). */
  readonly trafficClass: number;
}

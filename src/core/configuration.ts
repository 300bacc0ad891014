import type { Endpoint } from '../wire/endpoint.js';

/** An address range: 4 or 16 address bytes and a prefix length. Host bits may be set; the core masks them. */
export interface IpPrefix {
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

/** One step of a change of a peer's allowed IPs. Steps are applied in order. */
export interface AllowedIpChange extends IpPrefix {
  /** Whether the prefix is removed from this peer instead of given to it. */
  readonly isRemoval: boolean;
}

/** One `public_key` block of a `set`. Absent fields are left unchanged. */
export interface PeerChange {
  readonly publicKey: Uint8Array;
  readonly isRemoval: boolean;
  /** Whether the peer is changed only if it exists, and never created. */
  readonly isUpdateOnly: boolean;
  /** 32 zero bytes: no preshared key. */
  readonly presharedKey?: Uint8Array;
  readonly endpoint?: Endpoint;
  /** 0 switches persistent keepalives off. */
  readonly persistentKeepaliveSeconds?: number;
  readonly replaceAllowedIps: boolean;
  readonly allowedIps: readonly AllowedIpChange[];
}

/**
 * A whole change of a device, applied atomically.
 *
 * Port and firewall mark belong to the socket: the host opens the new socket first. Then the core applies
 * the rest, which cannot fail after `Device.checkChange`.
 */
export interface DeviceChange {
  /** 32 zero bytes: no private key. The device copies it; the caller clears its own. */
  readonly privateKey?: Uint8Array;
  /** 0: any free port. */
  readonly listenPort?: number;
  /** 0: none. */
  readonly fwmark?: number;
  readonly replacePeers: boolean;
  readonly peers: readonly PeerChange[];
}

import type { Endpoint } from '../wire/endpoint.js';

/** An address range: 4 or 16 address bytes and a prefix length. Host bits may be set; the core masks them. */
export interface IpPrefix {
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

/** One step of a peer's allowed IPs, in the order in which they were said. */
export interface AllowedIpChange extends IpPrefix {
  /** Take the prefix away from this peer, if it has it, instead of giving it to this peer. */
  readonly isRemoval: boolean;
}

/** One `public_key` block of a `set`. Absent fields stay as they are. */
export interface PeerChange {
  readonly publicKey: Uint8Array;
  readonly isRemoval: boolean;
  /** Change the peer if it exists, never create it. */
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
 * A whole change of a device, applied in one step or not at all.
 *
 * Port and firewall mark are the socket's affair: the host opens the new socket first, then has the
 * core apply the rest, which cannot fail after `Device.checkChange`.
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

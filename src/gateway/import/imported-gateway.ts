/** A peer of another VPN server that becomes a device. */
export interface ImportedPeer {
  /** Its name there; empty: it had none. */
  readonly name: string;
  /** Base64. */
  readonly publicKey: string;
  readonly presharedKey?: string;
  readonly addresses: readonly string[];
  readonly isBlocked: boolean;
  readonly expiresAtUnixMs?: number;
  readonly createdAtUnixMs?: number;
}

/** Another VPN server, as its files have it. */
export interface ImportedGateway {
  /** 32 bytes, for the owner to clear: devices go on working with the key that they know. */
  readonly privateKey: Uint8Array;
  /** The server's own addresses with the lengths of their networks, such as `10.8.0.1/24`. */
  readonly networks: readonly string[];
  readonly listenPort?: number;
  readonly mtu?: number;
  readonly peers: readonly ImportedPeer[];
  /** Members and lines that the gateway does not take over, as sentences with the place. */
  readonly leftOut: readonly string[];
}

/**
 * What a daemon says about a device, as `wg` shows it: exact numbers, addresses as the C library
 * writes them.
 */
export interface WgDevice {
  readonly name: string;
  /** The caller clears it. */
  readonly privateKey: Uint8Array | undefined;
  /** 0: none. */
  readonly listenPort: number;
  /** 0: off. */
  readonly fwmark: number;
  /** In the daemon's order. */
  readonly peers: readonly WgPeer[];
}

export interface WgPeer {
  readonly publicKey: Uint8Array;
  /** `undefined` for none. The caller clears it. */
  readonly presharedKey: Uint8Array | undefined;
  /** `1.2.3.4:51820` or `[2001:db8::1]:51820`. */
  readonly endpoint: string | undefined;
  /** `ADDRESS/LENGTH`, in the daemon's order. */
  readonly allowedIps: readonly string[];
  /** Since 1970; 0: never. Of a faulty daemon up to 2^63 − 1. */
  readonly lastHandshakeSeconds: bigint;
  readonly lastHandshakeNanoseconds: bigint;
  /** Up to 2^64 − 1. */
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  /** 0: off. */
  readonly persistentKeepaliveSeconds: number;
}

/** Wipes the secret keys. */
export function clearDevice(device: WgDevice): void {
  device.privateKey?.fill(0);
  for (const { presharedKey } of device.peers) presharedKey?.fill(0);
}

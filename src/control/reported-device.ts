/** A daemon's report about its device, with exact numbers, and addresses as the daemon writes them. */
export interface ReportedDevice {
  /** The caller clears it. */
  readonly privateKey: Uint8Array | undefined;
  /** 0: none. */
  readonly listenPort: number;
  /** 0: off. */
  readonly fwmark: number;
  /** The peers in the daemon's order. */
  readonly peers: readonly ReportedPeer[];
}

export interface ReportedPeer {
  readonly publicKey: Uint8Array;
  /** `undefined` for none. The caller clears it. */
  readonly presharedKey: Uint8Array | undefined;
  /** `1.2.3.4:51820` or `[2001:db8::1]:51820`. */
  readonly endpoint: string | undefined;
  /** `ADDRESS/LENGTH`, in the daemon's order. */
  readonly allowedIps: readonly string[];
  /** Seconds since 1970; 0: never. A faulty daemon may report up to 2^63 − 1. */
  readonly lastHandshakeSeconds: bigint;
  readonly lastHandshakeNanoseconds: bigint;
  /** Up to 2^64 − 1; greater numbers count as that. */
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  /** 0: off. */
  readonly persistentKeepaliveSeconds: number;
}

/** A report about a device while it is being read, line by line or message by message. */
export type DeviceDraft = Omit<Writable<ReportedDevice>, 'peers'> & { peers: PeerDraft[] };
export type PeerDraft = Omit<Writable<ReportedPeer>, 'allowedIps'> & { allowedIps: string[] };

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export function newDeviceDraft(): DeviceDraft {
  return { privateKey: undefined, listenPort: 0, fwmark: 0, peers: [] };
}

export function newPeerDraft(publicKey: Uint8Array): PeerDraft {
  return {
    publicKey,
    presharedKey: undefined,
    endpoint: undefined,
    allowedIps: [],
    lastHandshakeSeconds: 0n,
    lastHandshakeNanoseconds: 0n,
    rxBytes: 0n,
    txBytes: 0n,
    persistentKeepaliveSeconds: 0,
  };
}

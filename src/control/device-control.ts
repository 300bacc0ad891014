import type { DeviceChange, IpPrefix } from '../core/configuration.js';
import type { Endpoint } from '../wire/endpoint.js';

/** What a device tells about one peer. The core's `Peer` has this shape. */
export interface PeerState {
  readonly publicKey: Uint8Array;
  /** 32 zero bytes: none. */
  readonly presharedKey: Uint8Array;
  readonly endpoint: Endpoint | undefined;
  /** 0: off. */
  readonly persistentKeepaliveSeconds: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** Milliseconds since 1970; 0: never. */
  readonly lastHandshakeUnixMs: number;
  /** In the order in which they were given, host bits cleared. */
  readonly allowedIps: Iterable<IpPrefix>;
}

/** What a device tells about itself. Keys are the device's own bytes: read them at once, never keep them. */
export interface DeviceState {
  readonly privateKey: Uint8Array | undefined;
  /** 0: no socket. */
  readonly listenPort: number;
  /** 0: none. */
  readonly fwmark: number;
  /** In the order in which they were added. */
  readonly peers: Iterable<PeerState>;
}

/** What a device says about a peer that does not answer. */
export interface PeerExplanation {
  readonly publicKey: Uint8Array;
  /** Why there is no session, or that there is one. One line. */
  readonly reason: string;
  /** What became of its packets, by number of the core's `Verdict`. */
  readonly verdicts: ArrayLike<number>;
}

/** What a device says about itself to somebody who looks for a fault. */
export interface DeviceExplanation {
  /** What became of packets, by number of the core's `Verdict`. */
  readonly verdicts: ArrayLike<number>;
  readonly peers: Iterable<PeerExplanation>;
}

/** The device as the configuration protocol sees it. */
export interface DeviceControl {
  readonly state: DeviceState;
  /**
   * Applies all of the change or none of it.
   *
   * @throws {WireGuardError} Nothing has changed. `uapi-errno.ts` says how each code is told to the client.
   */
  apply(change: DeviceChange): void;
  /** Answers `explain`, which is our own addition to the protocol. Absent: it is not known. */
  explain?(): DeviceExplanation;
}

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
  /** Has the state read, over several turns of the event loop if need be, while no change is made. */
  read<T>(reader: (state: DeviceState) => T | Promise<T>): Promise<T>;
  /**
   * Applies all of the change or none of it, after the changes that were asked for earlier. The caller clears the keys
   * in it once the promise has settled.
   *
   * @throws {WireGuardError} Nothing has changed. `uapi-errno.ts` maps each code to the errno that the client receives.
   */
  apply(change: DeviceChange): Promise<void>;
  /** Answers `explain`, our own addition to the protocol. Absent: the operation is unknown. */
  explain?(): DeviceExplanation;
}

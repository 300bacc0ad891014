import type { DeviceChange, IpPrefix } from '../core/configuration.js';
import type { SessionReason } from '../core/session-reason.js';
import type { Endpoint } from '../wire/endpoint.js';

/** The state of one peer. The core's `ConfiguredPeer` has this shape. */
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
  /** The allowed IPs, in the order in which they were given, host bits cleared. */
  readonly allowedIps: Iterable<IpPrefix>;
}

/** The state of a device. Keys are the device's own bytes: they must be read at once and not kept. */
export interface DeviceState {
  readonly privateKey: Uint8Array | undefined;
  /** 0: no socket. */
  readonly listenPort: number;
  /** 0: none. */
  readonly fwmark: number;
  /** The peers, in the order in which they were added. */
  readonly peers: Iterable<PeerState>;
}

/** The device's account of a peer that does not answer. */
export interface PeerExplanation {
  readonly publicKey: Uint8Array;
  /** Why there is no session, or that there is one. */
  readonly reason: SessionReason;
  /** Packets of the peer, by number of the core's `Verdict`. */
  readonly verdicts: ArrayLike<number>;
}

/** The device's account of itself, for finding a fault. */
export interface DeviceExplanation {
  /** Packets of the device, by number of the core's `Verdict`. */
  readonly verdicts: ArrayLike<number>;
  readonly peers: Iterable<PeerExplanation>;
}

/** The device as the configuration protocol sees it. */
export interface DeviceControl {
  /** Calls `reader` while no change is made, over several turns of the event loop if need be. */
  read<T>(reader: (state: DeviceState) => T | Promise<T>): Promise<T>;
  /**
   * Applies all of the change or none of it, after the changes that were requested earlier. The caller clears the keys
   * in it once the promise has settled.
   *
   * @throws {WireGuardError} Nothing has changed. `uapi-errno.ts` maps each code to the errno that the client receives.
   */
  apply(change: DeviceChange): Promise<void>;
  /** Answers `explain`, our own addition to the protocol. Absent: the operation is unknown. */
  explain?(): DeviceExplanation;
}

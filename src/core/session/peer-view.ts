import type { Endpoint } from '../../wire/endpoint.js';
import type { IpPrefix } from '../configuration.js';

/**
 * `follow`: messages are sent to the source of the last authentic message (§2.1). `pinned`: messages are sent to the
 * endpoint that the user or a path manager has set.
 */
export type Roaming = 'follow' | 'pinned';

/** Counts of the packets and messages of a peer. */
export interface CountersView {
  /** By number of `Verdict`. */
  readonly verdicts: ArrayLike<number>;
}

/**
 * A read-only view of a peer for code outside of the core, which changes as the device runs.
 *
 * Arrays and endpoints are the device's own: they must be copied to be kept, and never written.
 */
export interface PeerView {
  readonly publicKey: Uint8Array;
  /** The destination of messages to the peer. */
  readonly endpoint: Endpoint | undefined;
  /** The source of the last authentic message; `undefined`: there was none. */
  readonly heardFrom: Endpoint | undefined;
  readonly roaming: Roaming;
  /** 0: off. */
  readonly persistentKeepaliveSeconds: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** Wall clock of the last completed handshake, milliseconds since 1970; 0: never. */
  readonly lastHandshakeUnixMs: number;
  /** The prefixes in the order in which they were given, host bits cleared. */
  readonly allowedIps: Iterable<IpPrefix>;
  readonly counters: CountersView;
}

/** A peer with its secret, for writing configurations. */
export interface ConfiguredPeer extends PeerView {
  /** 32 zero bytes: none. */
  readonly presharedKey: Uint8Array;
}

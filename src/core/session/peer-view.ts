import type { Endpoint } from '../../wire/endpoint.js';
import type { IpPrefix } from '../configuration.js';

/**
 * `follow`: messages are sent to where the last authentic one came from (§2.1). `pinned`: they are sent to where the
 * user, or a path manager, wants them.
 */
export type Roaming = 'follow' | 'pinned';

/** Counts of the packets and messages of a peer. */
export interface CountersView {
  /** By number of `Verdict`. */
  readonly verdicts: ArrayLike<number>;
}

/**
 * A peer as everybody outside of the core sees it: facts to be read, which change as the device runs.
 *
 * Arrays and endpoints are the device's own: they must be copied where they are kept, and never written.
 */
export interface PeerView {
  readonly publicKey: Uint8Array;
  /** Where messages to the peer are sent. */
  readonly endpoint: Endpoint | undefined;
  /** Where the last authentic message came from; `undefined`: nothing was heard yet. */
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

/** A peer with its secret, for whoever writes configurations. */
export interface ConfiguredPeer extends PeerView {
  /** 32 zero bytes: none. */
  readonly presharedKey: Uint8Array;
}

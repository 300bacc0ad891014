/**
 * Why a handshake message or cookie reply was refused, or could not be sent.
 *
 * Each reason is counted, per device and, where the peer is certain, per peer.
 */
export const HANDSHAKE_REJECTIONS = [
  /** MAC1 was not made for our public key: the sender has another key for us. */
  'mac1',
  /** We are under load, and MAC2 did not prove the sender's address: the sender got a cookie. */
  'under-load',
  /** We are under load, and the sender's address exceeded the rate limit. */
  'rate-limit',
  /** The sender's static key does not open: it has another public key for us, or the message was changed. */
  'wrong-key',
  /** The sender's static key is no peer's. */
  'unknown-peer',
  /** A public key that gives the same secret with every private key (RFC 7748 §6.1). */
  'low-order-point',
  /** The timestamp does not open: the sender does not have the private key of its public key. */
  'bad-timestamp-tag',
  /** The timestamp is not greater than the greatest one so far: a replay, or the sender's clock was set back. */
  'replayed-timestamp',
  /** A second initiation of one peer within FLOOD_INTERVAL. */
  'flood',
  /** A response or cookie reply that no message of ours waits for. */
  'no-handshake',
  /** The response does not open: the preshared keys differ, or it is forged. */
  'wrong-response',
  /** A cookie reply that does not open: it does not answer the last message to that peer. */
  'cookie',
  /** We have no private key, or the link is down. */
  'no-private-key',
] as const;

export type HandshakeRejection = (typeof HANDSHAKE_REJECTIONS)[number];

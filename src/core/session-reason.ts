/**
 * Why there is no session with a peer, or that there is one. Codes are public and never change their meaning;
 * `control/explain-text.ts` has the sentences.
 */
export type ReasonCode =
  | 'session'
  | 'removed'
  | 'link-down'
  | 'no-private-key'
  | 'unusable-key'
  // Something certainly went wrong with this peer.
  | 'peer-under-load'
  | 'replayed-timestamp'
  | 'flood'
  | 'wrong-response'
  | 'forged-initiation'
  | 'low-order-point'
  // Messages from the peer's address could be anybody's.
  | 'mac1'
  | 'wrong-key'
  | 'unknown-peer'
  | 'under-load'
  | 'rate-limit'
  // Nothing went wrong that is known.
  | 'no-endpoint'
  | 'unconfirmed'
  | 'handshake-due'
  | 'nothing-to-send'
  | 'handshake-started'
  | 'no-answer';

export interface SessionReason {
  readonly code: ReasonCode;
  /** How long the peer has not answered; 0 for all other codes. */
  readonly seconds: number;
}

/**
 * The reasons why there is no session with a peer, and the code for a session. Codes are public and never change their
 * meaning;
 * `control/explain-text.ts` has the sentences.
 */
export type ReasonCode =
  | 'session'
  | 'removed'
  | 'link-down'
  | 'no-private-key'
  | 'unusable-key'
  // Troubles that certainly came from this peer.
  | 'peer-under-load'
  | 'replayed-timestamp'
  | 'flood'
  | 'wrong-response'
  | 'forged-initiation'
  | 'low-order-point'
  // Troubles with messages from the peer's address, which any sender could have sent.
  | 'mac1'
  | 'wrong-key'
  | 'unknown-peer'
  | 'under-load'
  | 'rate-limit'
  // States without a known trouble.
  | 'no-endpoint'
  | 'unconfirmed'
  | 'handshake-due'
  | 'nothing-to-send'
  | 'handshake-started'
  | 'no-answer';

export interface SessionReason {
  readonly code: ReasonCode;
  /** The time without an answer of the peer; 0 for all other codes. */
  readonly seconds: number;
}

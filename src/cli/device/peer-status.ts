import { REJECT_AFTER_TIME_MS } from '../../core/constants.js';

/**
 * The state of a peer in one word: `online` has a session, its last handshake being at most 180 s old (§6.2); `asleep`
 * had one; `never-seen` has had no handshake since the interface came up.
 */
export type PeerStatus = 'online' | 'asleep' | 'never-seen';

/** Sessions end after this time without a new handshake. */
const ONLINE_SECONDS = REJECT_AFTER_TIME_MS / 1_000;

/** @param handshakeAgeSeconds `undefined`: there was no handshake. */
export function peerStatus(handshakeAgeSeconds: number | undefined): PeerStatus {
  if (handshakeAgeSeconds === undefined) return 'never-seen';
  return handshakeAgeSeconds <= ONLINE_SECONDS ? 'online' : 'asleep';
}

/** Returns the seconds since a handshake; `undefined`: none. @param lastHandshakeSeconds Since 1970; 0: never. */
export function handshakeAge(lastHandshakeSeconds: bigint, unixTimeMs: number): number | undefined {
  if (lastHandshakeSeconds === 0n) return undefined;
  return Math.max(0, Math.floor(unixTimeMs / 1_000) - Number(lastHandshakeSeconds));
}

/** Writes a state for users. */
export function statusText(status: PeerStatus | 'disabled' | 'expired'): string {
  return status.replace('-', ' ');
}

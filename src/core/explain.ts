import { remoteEquals } from '../wire/endpoint.js';
import { REJECT_AFTER_TIME_MS, REKEY_TIMEOUT_JITTER_MS, REKEY_TIMEOUT_MS } from './constants.js';
import type { HandshakeExchange } from './handshake/handshake-exchange.js';
import type { HandshakeRejection } from './handshake/handshake-rejection.js';
import type { LinkView } from './link-state.js';
import type { Peer } from './session/peer.js';
import type { ReasonCode, SessionReason } from './session-reason.js';

/** Older troubles do not explain the present state. */
const TROUBLE_LIFETIME_MS = REJECT_AFTER_TIME_MS;

/** Returns the reason why there is no session with `peer`, or the code for a session. */
export function explain(link: LinkView, exchange: HandshakeExchange, peer: Peer, nowMs: number): SessionReason {
  const code = explainState(link, peer, nowMs) ?? explainTrouble(exchange, peer, nowMs) ?? explainSilence(peer, nowMs);
  return { code, seconds: code === 'no-answer' ? unansweredSeconds(peer, nowMs) : 0 };
}

function explainState(link: LinkView, peer: Peer, nowMs: number): ReasonCode | undefined {
  if (!link.isUp) return 'link-down';
  if (link.identity === undefined) return 'no-private-key';
  if (peer.sealingKeypair(nowMs) !== undefined) return 'session';
  return peer.staticStatic.every((byte) => byte === 0) ? 'unusable-key' : undefined;
}

function explainTrouble(exchange: HandshakeExchange, peer: Peer, nowMs: number): ReasonCode | undefined {
  const { lastTrouble } = peer;
  if (lastTrouble !== undefined && nowMs - lastTrouble.atMs < TROUBLE_LIFETIME_MS)
    return PEER_TROUBLES[lastTrouble.rejection];
  for (const [rejection, refusal] of exchange.refusals.entries()) {
    const code = STRANGER_TROUBLES[rejection];
    if (code === undefined || nowMs - refusal.atMs >= TROUBLE_LIFETIME_MS) continue;
    if (peer.endpoint !== undefined && remoteEquals(refusal.from.words, 0, peer.endpoint.words, 0)) return code;
  }
  return exchange.queue.isUnderLoad(nowMs) ? 'under-load' : undefined;
}

function explainSilence(peer: Peer, nowMs: number): ReasonCode {
  if (peer.destination === undefined) return 'no-endpoint';
  if (peer.keypairs.next !== undefined && !peer.keypairs.next.isExpired(nowMs)) return 'unconfirmed';
  if (!peer.hasTimers || peer.timers.unansweredSinceMs === undefined)
    return peer.staged.count > 0 ? 'handshake-due' : 'nothing-to-send';
  const isFresh = unansweredSeconds(peer, nowMs) * 1_000 <= REKEY_TIMEOUT_MS + REKEY_TIMEOUT_JITTER_MS;
  return isFresh ? 'handshake-started' : 'no-answer';
}

function unansweredSeconds(peer: Peer, nowMs: number): number {
  return Math.floor((nowMs - (peer.timers.unansweredSinceMs ?? nowMs)) / 1_000);
}

/** Troubles with messages that certainly came from this peer. */
const PEER_TROUBLES: Partial<Record<HandshakeRejection, ReasonCode>> = {
  'under-load': 'peer-under-load',
  'replayed-timestamp': 'replayed-timestamp',
  flood: 'flood',
  'wrong-response': 'wrong-response',
  'bad-timestamp-tag': 'forged-initiation',
  'low-order-point': 'low-order-point',
};

/** Troubles with messages from the peer's address that any sender could have sent. */
const STRANGER_TROUBLES: Partial<Record<HandshakeRejection, ReasonCode>> = {
  mac1: 'mac1',
  'wrong-key': 'wrong-key',
  'unknown-peer': 'unknown-peer',
  'under-load': 'under-load',
  'rate-limit': 'rate-limit',
};

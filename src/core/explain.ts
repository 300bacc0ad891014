import { remoteEquals } from '../wire/endpoint.js';
import { REJECT_AFTER_TIME_MS, REKEY_TIMEOUT_JITTER_MS, REKEY_TIMEOUT_MS } from './constants.js';
import type { HandshakeExchange } from './handshake/handshake-exchange.js';
import type { HandshakeRejection } from './handshake/handshake-rejection.js';
import type { LinkView } from './link-state.js';
import type { Peer } from './session/peer.js';

/** Older troubles explain nothing about the present. */
const TROUBLE_LIFETIME_MS = REJECT_AFTER_TIME_MS;

/**
 * Why there is no session with `peer`, or that there is one: one sentence for a person, with the next step where there is one.
 *
 * Names no key and no address.
 */
export function explain(link: LinkView, exchange: HandshakeExchange, peer: Peer, nowMs: number): string {
  if (!link.isUp) return 'The link is down: bring it up with "ip link set … up".';
  if (link.identity === undefined) return 'The interface has no private key: set one.';
  if (peer.sealingKeypair(nowMs) !== undefined) return 'There is a session.';
  if (peer.staticStatic.every((byte) => byte === 0))
    return "The peer's public key is not a usable key (a low-order point): check it.";
  return explainTrouble(exchange, peer, nowMs) ?? explainSilence(peer, nowMs);
}

function explainTrouble(exchange: HandshakeExchange, peer: Peer, nowMs: number): string | undefined {
  const { lastTrouble } = peer;
  if (lastTrouble !== undefined && nowMs - lastTrouble.atMs < TROUBLE_LIFETIME_MS)
    return PEER_TROUBLES[lastTrouble.rejection];
  for (const [rejection, refusal] of exchange.refusals.entries()) {
    const sentence = STRANGER_TROUBLES[rejection];
    if (sentence === undefined || nowMs - refusal.atMs >= TROUBLE_LIFETIME_MS) continue;
    if (peer.endpoint !== undefined && remoteEquals(refusal.from.words, 0, peer.endpoint.words, 0)) return sentence;
  }
  return exchange.queue.isUnderLoad(nowMs) ? STRANGER_TROUBLES['under-load'] : undefined;
}

function explainSilence(peer: Peer, nowMs: number): string {
  if (peer.destination === undefined) return 'The peer has no endpoint: set one, or wait until the peer makes contact.';
  if (peer.keypairs.next !== undefined && !peer.keypairs.next.isExpired(nowMs))
    return 'The peer started a handshake and was answered, but has not used the session yet: our answers may not reach it.';
  const since = peer.hasTimers ? peer.timers.unansweredSinceMs : undefined;
  if (since === undefined) {
    return peer.staged.count > 0
      ? 'A handshake is about to start.'
      : 'There was nothing to send yet: a handshake starts with the first packet, or with persistent keepalive.';
  }
  const seconds = Math.floor((nowMs - since) / 1_000);
  if (seconds * 1_000 <= REKEY_TIMEOUT_MS + REKEY_TIMEOUT_JITTER_MS) return 'A handshake has just been started.';
  return `No answer for ${seconds} s: the peer may be off, its endpoint or our public key wrong there, or a firewall in between.`;
}

/** About messages that certainly concern this peer. */
const PEER_TROUBLES: Partial<Record<HandshakeRejection, string>> = {
  'under-load': 'The peer is under load and asked us to prove our address: the next attempt does.',
  'replayed-timestamp':
    "The peer's handshakes carry a timestamp that is not later than its last one: its clock was set back, or two hosts use the same key.",
  flood: 'The peer starts handshakes too fast: more than one in 20 ms.',
  'wrong-response':
    'The peer answers, but with a wrong key: compare the preshared key and the public keys on both sides.',
  'bad-timestamp-tag': "Someone who does not have the peer's private key starts handshakes in its name.",
  'low-order-point': 'The peer sent a key that is not usable (a low-order point).',
};

/** About messages from the peer's address that could be anybody's. */
const STRANGER_TROUBLES: Partial<Record<HandshakeRejection, string>> = {
  mac1: "Handshakes from the peer's address are made for another public key: check the key that it has for us (MAC1 is wrong).",
  'wrong-key': "Handshakes from the peer's address do not open with our private key: check the key that it has for us.",
  'unknown-peer':
    "Handshakes from the peer's address come with another public key than the one that is configured: compare them.",
  'under-load': 'This host is under load: whoever starts a handshake has to prove its address first.',
  'rate-limit': 'This host is under load and the peer tries too often: more than 20 times a second.',
};

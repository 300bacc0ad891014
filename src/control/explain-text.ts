import type { ReasonCode, SessionReason } from '../core/session-reason.js';

/**
 * Returns one sentence for a person, with the next step where there is one. The sentence contains no key and no
 * address.
 */
export function explainText({ code, seconds }: SessionReason): string {
  return SENTENCES[code].replace('SECONDS', String(seconds));
}

const SENTENCES: Readonly<Record<ReasonCode, string>> = {
  session: 'There is a session.',
  removed: 'The peer was removed.',
  'link-down': 'The link is down: bring it up with "ip link set … up".',
  'no-private-key': 'The interface has no private key: set one.',
  'unusable-key': "The peer's public key is not a usable key (a low-order point): check it.",

  'peer-under-load': 'The peer is under load and asked us to prove our address: the next attempt does.',
  'replayed-timestamp':
    "The peer's handshakes carry a timestamp that is not later than its last one: its clock was set back, or two hosts use the same key.",
  flood: 'The peer starts handshakes too fast: more than one in 20 ms.',
  'wrong-response':
    'The peer answers, but with a wrong key: compare the preshared key and the public keys on both sides.',
  'forged-initiation': "Someone who does not have the peer's private key starts handshakes in its name.",
  'low-order-point': 'The peer sent a key that is not usable (a low-order point).',

  mac1: "Handshakes from the peer's address are made for another public key: check the key that it has for us (MAC1 is wrong).",
  'wrong-key': "Handshakes from the peer's address do not open with our private key: check the key that it has for us.",
  'unknown-peer':
    "Handshakes from the peer's address come with another public key than the one that is configured: compare them.",
  'under-load': 'This host is under load: whoever starts a handshake has to prove its address first.',
  'rate-limit': 'This host is under load and the peer tries too often: more than 20 times a second.',

  'no-endpoint': 'The peer has no endpoint: set one, or wait until the peer makes contact.',
  unconfirmed:
    'The peer started a handshake and was answered, but has not used the session yet: our answers may not reach it.',
  'handshake-due': 'A handshake is about to start.',
  'nothing-to-send':
    'There was nothing to send yet: a handshake starts with the first packet, or with persistent keepalive.',
  'handshake-started': 'A handshake has just been started.',
  'no-answer':
    'No answer for SECONDS s: the peer may be off, its endpoint or our public key wrong there, or a firewall in between.',
};

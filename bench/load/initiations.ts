import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { loadAddon } from '../../src/addon/load.js';
import { CookieJar } from '../../src/core/handshake/cookie.js';
import { createInitiation } from '../../src/core/handshake/handshake.js';
import { Identity } from '../../src/core/handshake/identity.js';
import type { Crypto } from '../../src/core/ports.js';
import { nativeCrypto } from '../../src/crypto/native-crypto.js';
import { TAI64N_BYTES, writeTai64n } from '../../src/wire/tai64n.js';

const INITIATIONS = 512;
const KEY_BYTES = 32;

/** One side of a handshake, with what it needs to begin it. */
export interface Initiator {
  readonly identity: Identity;
  readonly remote: {
    readonly staticPublic: Uint8Array;
    readonly presharedKey: Uint8Array;
    readonly staticStatic: Uint8Array;
  };
}

export function benchCrypto(): Crypto {
  return nativeCrypto(loadAddon());
}

/** An initiator with a fresh key for the responder with this public key. */
export function makeInitiator(crypto: Crypto, responderPublic: Uint8Array): Initiator {
  const identity = Identity.from(crypto, randomBytes(KEY_BYTES));
  const staticStatic = new Uint8Array(KEY_BYTES);
  if (identity === undefined || !crypto.x25519(staticStatic, identity.staticPrivate, responderPublic))
    throw new Error('not a public key');
  return { identity, remote: { staticPublic: responderPublic, presharedKey: new Uint8Array(KEY_BYTES), staticStatic } };
}

/** An initiation of `initiator`, signed, with the stamp of `unixMs`; and what is needed to read the response. */
export function begin(crypto: Crypto, initiator: Initiator, localIndex: number, unixMs: number) {
  const stamp = new Uint8Array(TAI64N_BYTES);
  writeTai64n(stamp, 0, Math.floor(unixMs / 1_000), (unixMs % 1_000) * 1e6);
  const { identity, remote } = initiator;
  const begun = createInitiation(crypto, identity, remote, randomBytes(KEY_BYTES), localIndex, stamp);
  if (begun === undefined) throw new Error('not a public key');
  new CookieJar(crypto, remote.staticPublic).sign(begun.message, 0);
  return begun;
}

/** Writes initiations of strangers to a file: right in everything, but the responder does not know their keys. */
export function makeInitiations(folder: string, responderPublicText: string): { path: string; bytes: number } {
  const crypto = benchCrypto();
  const responderPublic = new Uint8Array(Buffer.from(responderPublicText, 'base64'));
  const messages: Uint8Array[] = [];
  for (let i = 0; i < INITIATIONS; i++)
    messages.push(begin(crypto, makeInitiator(crypto, responderPublic), i, Date.now()).message);
  const path = join(folder, 'initiations');
  writeFileSync(path, Buffer.concat(messages));
  return { path, bytes: messages[0]!.length };
}

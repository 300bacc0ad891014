import type { Addon } from '../addon/interface.js';
import type { Crypto } from '../core/ports.js';
import { XChaChaKey } from './xchacha-key.js';

/** Each field of a handshake has its own key, so the counter in the nonce is always 0. */
const NONCE = new Uint8Array(new ArrayBuffer(12));

/** The primitives of the handshake over the addon; noble derives the keys of XChaCha20. */
export function nativeCrypto(addon: Addon): Crypto {
  const derived = new XChaChaKey();
  const withDerivedKey = <Result>(longKey: Uint8Array, longNonce: Uint8Array, use: () => Result): Result => {
    derived.derive(longKey, longNonce);
    try {
      return use();
    } finally {
      derived.clear();
    }
  };

  return {
    x25519: (out, privateKey, publicKey) => addon.x25519(out, privateKey, publicKey),
    x25519PublicKey: (out, privateKey) => addon.x25519PublicKey(out, privateKey),
    hash: (out, ...parts) => addon.blake2s(out, ...parts),
    mac: (out, key, data) => addon.blake2sMac(out, key, data),
    hmac: (out, key, ...parts) => addon.blake2sHmac(out, key, ...parts),
    seal: (out, key, plaintext, associatedData) => addon.seal(out, key, NONCE, plaintext, associatedData),
    open: (out, key, sealed, associatedData) => addon.open(out, key, NONCE, sealed, associatedData),
    xSeal: (out, longKey, longNonce, plaintext, associatedData) =>
      withDerivedKey(longKey, longNonce, () => addon.seal(out, derived.key, derived.nonce, plaintext, associatedData)),
    xOpen: (out, longKey, longNonce, sealed, associatedData) =>
      withDerivedKey(longKey, longNonce, () => addon.open(out, derived.key, derived.nonce, sealed, associatedData)),
  };
}

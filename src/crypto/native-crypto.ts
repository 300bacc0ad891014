import type { Addon } from '../addon/interface.js';
import type { Crypto } from '../core/ports.js';

const KEY_BYTES = 32;
const HASH_BYTES = 32;
const MAC_BYTES = 16;

/** Puts the addon's X25519 and BLAKE2s in the place of those of `base`; the rest stays as it is. */
export function nativeCrypto(addon: Addon, base: Crypto): Crypto {
  return {
    x25519(privateKey, publicKey) {
      const shared = new Uint8Array(KEY_BYTES); // cleared by the caller
      return addon.x25519(shared, privateKey, publicKey) ? shared : undefined;
    },
    x25519PublicKey(privateKey) {
      const publicKey = new Uint8Array(KEY_BYTES);
      addon.x25519PublicKey(publicKey, privateKey);
      return publicKey;
    },
    hash(...parts) {
      const digest = new Uint8Array(HASH_BYTES);
      addon.blake2s(digest, ...parts);
      return digest;
    },
    mac(key, data) {
      const tag = new Uint8Array(MAC_BYTES);
      addon.blake2sMac(tag, key, data);
      return tag;
    },
    hmac(key, ...parts) {
      const tag = new Uint8Array(HASH_BYTES);
      addon.blake2sHmac(tag, key, ...parts);
      return tag;
    },
    seal: (key, plaintext, associatedData) => base.seal(key, plaintext, associatedData),
    open: (key, sealed, associatedData) => base.open(key, sealed, associatedData),
    xSeal: (key, nonce, plaintext, associatedData) => base.xSeal(key, nonce, plaintext, associatedData),
    xOpen: (key, nonce, sealed, associatedData) => base.xOpen(key, nonce, sealed, associatedData),
  };
}

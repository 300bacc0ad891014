import type { Addon } from '../addon/interface.js';
import type { Crypto } from '../core/ports.js';
import { XChaChaKey } from './xchacha-key.js';

const KEY_BYTES = 32;
const HASH_BYTES = 32;
const MAC_BYTES = 16;
const TAG_BYTES = 16;
/** Fields of a handshake have a key of their own each, so the counter in the nonce is always 0. */
const NONCE = new Uint8Array(12);
/** More than any field of a handshake message takes when it is sealed. */
const ROOM_BYTES = 256;

/**
 * The primitives of the handshake over the addon; what makes ChaCha20 XChaCha20 is noble's.
 *
 * A small array whose memory the addon asks for is moved out of the heap, which costs more than a hash. So results are
 * made in arrays that stay, and copied out of them.
 */
export function nativeCrypto(addon: Addon): Crypto {
  const room = new Uint8Array(ROOM_BYTES);
  const hash = room.subarray(0, HASH_BYTES);
  const key = room.subarray(0, KEY_BYTES);
  const mac = room.subarray(0, MAC_BYTES);

  /** Nothing secret stays behind. */
  const take = (lengthBytes: number): Uint8Array => {
    const result = room.slice(0, lengthBytes);
    room.fill(0, 0, lengthBytes);
    return result;
  };
  const roomFor = (lengthBytes: number): Uint8Array => (lengthBytes <= ROOM_BYTES ? room : new Uint8Array(lengthBytes));
  const takeFrom = (out: Uint8Array, lengthBytes: number): Uint8Array =>
    out === room ? take(lengthBytes) : out.subarray(0, lengthBytes);

  const seal: Crypto['xSeal'] = (sealingKey, nonce, plaintext, associatedData) => {
    const out = roomFor(plaintext.length + TAG_BYTES);
    addon.seal(out, sealingKey, nonce, plaintext, associatedData);
    return takeFrom(out, plaintext.length + TAG_BYTES);
  };
  const open: Crypto['xOpen'] = (sealingKey, nonce, sealed, associatedData) => {
    const out = roomFor(sealed.length);
    if (!addon.open(out, sealingKey, nonce, sealed, associatedData)) return undefined;
    return takeFrom(out, sealed.length - TAG_BYTES);
  };
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
    x25519: (privateKey, publicKey) => (addon.x25519(key, privateKey, publicKey) ? take(KEY_BYTES) : undefined),
    x25519PublicKey(privateKey) {
      addon.x25519PublicKey(key, privateKey);
      return take(KEY_BYTES);
    },
    hash(...parts) {
      addon.blake2s(hash, ...parts);
      return take(HASH_BYTES);
    },
    mac(macKey, data) {
      addon.blake2sMac(mac, macKey, data);
      return take(MAC_BYTES);
    },
    hmac(macKey, ...parts) {
      addon.blake2sHmac(hash, macKey, ...parts);
      return take(HASH_BYTES);
    },
    seal: (sealingKey, plaintext, associatedData) => seal(sealingKey, NONCE, plaintext, associatedData),
    open: (sealingKey, sealed, associatedData) => open(sealingKey, NONCE, sealed, associatedData),
    xSeal: (longKey, longNonce, plaintext, associatedData) =>
      withDerivedKey(longKey, longNonce, () => seal(derived.key, derived.nonce, plaintext, associatedData)),
    xOpen: (longKey, longNonce, sealed, associatedData) =>
      withDerivedKey(longKey, longNonce, () => open(derived.key, derived.nonce, sealed, associatedData)),
  };
}

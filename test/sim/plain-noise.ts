import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';

/*
 * The functions of the whitepaper's §5.4, one by one: HASH, MAC, KDF, DH, and the mixing of chaining key and hash.
 * As readable as possible, and on other primitives than the device's.
 */

/** The state of the symmetric part: what the whitepaper calls C and H. */
export interface NoiseState {
  chainingKey: Uint8Array;
  hash: Uint8Array;
}

export const EMPTY = new Uint8Array(0);
const CONSTRUCTION = Buffer.from('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
const IDENTIFIER = Buffer.from('WireGuard v1 zx2c4 Jason@zx2c4.com');

export function initialState(responderPublic: Uint8Array): NoiseState {
  const chainingKey = hash(CONSTRUCTION);
  return { chainingKey, hash: hash(hash(chainingKey, IDENTIFIER), responderPublic) };
}

export function mixHash(state: NoiseState, data: Uint8Array): void {
  state.hash = hash(state.hash, data);
}

export function mixKey(state: NoiseState, input: Uint8Array): void {
  state.chainingKey = kdf(state.chainingKey, input, 1)[0]!;
}

export function mixKeyForCipher(state: NoiseState, input: Uint8Array): Uint8Array {
  const [chainingKey, key] = kdf(state.chainingKey, input, 2) as [Uint8Array, Uint8Array];
  state.chainingKey = chainingKey;
  return key;
}

export function mixPresharedKey(state: NoiseState, presharedKey: Uint8Array): Uint8Array {
  const [chainingKey, toHash, key] = kdf(state.chainingKey, presharedKey, 3) as [Uint8Array, Uint8Array, Uint8Array];
  state.chainingKey = chainingKey;
  mixHash(state, toHash);
  return key;
}

export function encryptAndHash(state: NoiseState, key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const sealed = chacha20poly1305(key, nonceOf(0n), state.hash).encrypt(plaintext);
  mixHash(state, sealed);
  return sealed;
}

export function decryptAndHash(state: NoiseState, key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const plaintext = chacha20poly1305(key, nonceOf(0n), state.hash).decrypt(sealed);
  mixHash(state, sealed);
  return plaintext;
}

export function kdf(key: Uint8Array, input: Uint8Array, outputs: number): Uint8Array[] {
  const secret = hmac(blake2s, key, input);
  const out: Uint8Array[] = [];
  for (let i = 1; i <= outputs; i++)
    out.push(hmac(blake2s, secret, Buffer.concat([out.at(-1) ?? EMPTY, Uint8Array.of(i)])));
  return out;
}

export function hash(...parts: Uint8Array[]): Uint8Array {
  return blake2s(Buffer.concat(parts));
}

export function mac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return blake2s(data, { key, dkLen: 16 });
}

/** All zero for a low-order point, where the library refuses. */
export function sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const spki = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), publicKey]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  try {
    return new Uint8Array(diffieHellman({ privateKey: privateKeyObject(privateKey), publicKey: key }));
  } catch {
    return new Uint8Array(32);
  }
}

export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  const key = createPublicKey(privateKeyObject(privateKey));
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(-32));
}

function privateKeyObject(privateKey: Uint8Array): ReturnType<typeof createPrivateKey> {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), privateKey]);
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
}

export function counterBytes(counter: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(counter);
  return bytes;
}

export function nonceOf(counter: bigint): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.alloc(4), counterBytes(counter)]));
}

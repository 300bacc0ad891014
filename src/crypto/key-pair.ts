import { createPrivateKey, createPublicKey, randomFillSync } from 'node:crypto';

/** An X25519 private key in PKCS #8, without the 32 bytes that follow (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const KEY_BYTES = 32;

export interface KeyPair {
  /** The caller clears it. */
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

export function generateKeyPair(): KeyPair {
  const privateKey = new Uint8Array(new ArrayBuffer(KEY_BYTES));
  randomFillSync(privateKey);
  clamp(privateKey);
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

/** Returns the public key of a private key, both 32 bytes. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  const der = Buffer.concat([PKCS8_HEAD, privateKey]);
  try {
    const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES));
  } finally {
    der.fill(0);
  }
}

/** Turns random bytes into a valid private key (RFC 7748 §5). */
export function clamp(key: Uint8Array): void {
  key[0]! &= 248;
  key[31] = (key[31]! & 127) | 64;
}

import { createPrivateKey, createPublicKey } from 'node:crypto';

/** An X25519 private key in PKCS #8, without the 32 bytes that follow (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const KEY_BYTES = 32;

/** The public key of a private key, both 32 bytes. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  const der = Buffer.concat([PKCS8_HEAD, privateKey]);
  try {
    const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES));
  } finally {
    der.fill(0);
  }
}

/** Makes random bytes a valid private key (RFC 7748 §5). */
export function clamp(key: Uint8Array): void {
  key[0]! &= 248;
  key[31] = (key[31]! & 127) | 64;
}

export function isZeroKey(key: Uint8Array): boolean {
  return key.every((byte) => byte === 0);
}

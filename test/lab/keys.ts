/** Keys as `wg` writes them, made by Node's own X25519: independent of the code under test. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';

export interface KeyPairText {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** The DER bytes in front of the 32 key bytes (RFC 8410 §7). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

export function generateKeyPair(): KeyPairText {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32).toString('base64'),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64'),
  };
}

export function publicKeyOf(privateKey: string): string {
  const der = Buffer.concat([PRIVATE_PREFIX, Buffer.from(privateKey, 'base64')]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return key.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
}

export function generatePresharedKey(): string {
  return randomBytes(32).toString('base64');
}

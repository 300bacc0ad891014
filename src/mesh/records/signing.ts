import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto';

const PUBLIC_KEY_BYTES = 32;

/** Signs with Ed25519 (RFC 8032). The key never leaves Node's own memory except as a file. */
export class SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly #key: KeyObject;

  static generate(): SigningKey {
    return new SigningKey(generateKeyPairSync('ed25519').privateKey);
  }

  /** @param pem PKCS #8, as `toPem` writes it. @throws If it is no Ed25519 key. */
  static fromPem(pem: string): SigningKey {
    const key = createPrivateKey({ key: pem, format: 'pem' });
    if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key');
    return new SigningKey(key);
  }

  private constructor(key: KeyObject) {
    this.#key = key;
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
    this.publicKey = new Uint8Array(spki.subarray(-PUBLIC_KEY_BYTES));
  }

  /** @returns 64 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return nodeSign(null, message, this.#key);
  }

  /** PKCS #8, for a file of mode 0600. */
  toPem(): string {
    return this.#key.export({ format: 'pem', type: 'pkcs8' }) as string;
  }
}

/** @param publicKey 32 bytes. @returns `false` for anything that is not a signature of `message`. */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return false;
  try {
    // A JWK (RFC 8037 §2) is read in an eighth of the time that OpenSSL takes for DER, and less than the signature takes.
    const x = Buffer.from(publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return nodeVerify(null, message, key, signature);
  } catch {
    return false; // no point of the curve
  }
}

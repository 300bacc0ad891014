import { equalInConstantTime } from '../constant-time.js';
import type { Crypto } from '../ports.js';
import { copySecret } from '../secret-bytes.js';
import type { LocalIdentity } from './handshake.js';

/** The device's own static key pair. Owns the private key and clears it in `wipe`. */
export class Identity implements LocalIdentity {
  readonly staticPrivate: Uint8Array;
  readonly staticPublic: Uint8Array;

  private constructor(staticPrivate: Uint8Array, staticPublic: Uint8Array) {
    this.staticPrivate = staticPrivate;
    this.staticPublic = staticPublic;
  }

  /**
   * @param privateKey 32 bytes; copied and clamped (RFC 7748 §5).
   * @returns `undefined` for 32 zero bytes, which stand for "no key".
   */
  static from(crypto: Crypto, privateKey: Uint8Array): Identity | undefined {
    if (privateKey.every((byte) => byte === 0)) return undefined;
    const clamped = copySecret(privateKey);
    clamped[0] &= 248;
    clamped[31] = (clamped[31] & 127) | 64;
    const staticPublic = new Uint8Array(new ArrayBuffer(clamped.length));
    crypto.x25519PublicKey(staticPublic, clamped);
    return new Identity(clamped, staticPublic);
  }

  equals(other: LocalIdentity): boolean {
    return equalInConstantTime(this.staticPrivate, other.staticPrivate);
  }

  hasPublicKey(publicKey: Uint8Array): boolean {
    return equalInConstantTime(this.staticPublic, publicKey);
  }

  /** Tests whether our key sorts before another one, which breaks ties between two ends that act at the same time. */
  isBefore(publicKey: Uint8Array): boolean {
    const at = this.staticPublic.findIndex((byte, i) => byte !== publicKey[i]);
    return at >= 0 && this.staticPublic[at]! < publicKey[at]!;
  }

  wipe(): void {
    this.staticPrivate.fill(0);
  }
}

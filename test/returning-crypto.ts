import type { Crypto } from '../src/core/ports.js';
import type { Sealing } from '../src/crypto/chacha20-poly1305.js';
import { openChaCha20Poly1305, sealChaCha20Poly1305 } from '../src/crypto/chacha20-poly1305.js';

const TAG_BYTES = 16;
const MAC_BYTES = 16;
const HASH_BYTES = 32;

/** The primitives of a `Crypto` with results that are returned, as tests with vectors want them. */
export class ReturningCrypto {
  readonly #crypto: Crypto;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    const out = new Uint8Array(HASH_BYTES);
    return this.#crypto.x25519(out, privateKey, publicKey) ? out : undefined;
  }

  x25519PublicKey(privateKey: Uint8Array): Uint8Array {
    return filled(HASH_BYTES, (out) => this.#crypto.x25519PublicKey(out, privateKey));
  }

  hash(...parts: readonly Uint8Array[]): Uint8Array {
    return filled(HASH_BYTES, (out) => this.#crypto.hash(out, ...parts));
  }

  mac(key: Uint8Array, data: Uint8Array): Uint8Array {
    return filled(MAC_BYTES, (out) => this.#crypto.mac(out, key, data));
  }

  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
    return filled(HASH_BYTES, (out) => this.#crypto.hmac(out, key, ...parts));
  }

  seal(key: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array {
    return filled(plaintext.length + TAG_BYTES, (out) => this.#crypto.seal(out, key, plaintext, associatedData));
  }

  open(key: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined {
    return opened(sealed, (out) => this.#crypto.open(out, key, sealed, associatedData));
  }

  xSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array {
    return filled(plaintext.length + TAG_BYTES, (out) =>
      this.#crypto.xSeal(out, key, nonce, plaintext, associatedData),
    );
  }

  xOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined {
    return opened(sealed, (out) => this.#crypto.xOpen(out, key, nonce, sealed, associatedData));
  }
}

export function seal(sealing: Sealing, plaintext: Uint8Array): Uint8Array {
  return filled(plaintext.length + TAG_BYTES, (out) => sealChaCha20Poly1305(out, sealing, plaintext));
}

export function open(sealing: Sealing, sealed: Uint8Array): Uint8Array | undefined {
  return opened(sealed, (out) => openChaCha20Poly1305(out, sealing, sealed));
}

function filled(lengthBytes: number, fill: (out: Uint8Array) => void): Uint8Array {
  const out = new Uint8Array(lengthBytes);
  fill(out);
  return out;
}

function opened(sealed: Uint8Array, open: (out: Uint8Array) => boolean): Uint8Array | undefined {
  const out = new Uint8Array(sealed.length);
  return open(out) ? out.slice(0, sealed.length - TAG_BYTES) : undefined;
}

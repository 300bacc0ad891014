import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import type { Credentials } from '../proxy-config.js';

/**
 * Compares a user name and a password with those of a listener.
 *
 * Both are compared as keyed hashes, in a time that depends neither on where they differ nor on how long they are.
 */
export class CredentialCheck {
  readonly #key = randomBytes(32);
  readonly #username: Buffer;
  readonly #password: Buffer;

  constructor({ username, password }: Credentials) {
    this.#username = this.#hash(username);
    this.#password = this.#hash(password);
  }

  accepts(username: string | Uint8Array, password: string | Uint8Array): boolean {
    const isUser = timingSafeEqual(this.#hash(username), this.#username);
    const isPassword = timingSafeEqual(this.#hash(password), this.#password);
    return isUser && isPassword;
  }

  #hash(text: string | Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

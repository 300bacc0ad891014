import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

import { ApiError } from '../server-errors.js';

/** Costs of scrypt (RFC 7914 §2): a quarter of a second and 32 MiB. */
const COSTS = { N: 2 ** 15, r: 8, p: 3 } as const;
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const AT_ONCE = 2;
const MAX_WAITING = 16;
export const MIN_PASSWORD_LENGTH = 10;
const MAX_PASSWORD_LENGTH = 200;
const PHC = /^\$scrypt\$ln=15,r=8,p=3\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/**
 * Hashes passwords, two at a time: an attacker's attempts cost memory for two. More than 16 that wait are refused.
 *
 * Hashes are PHC strings: `$scrypt$ln=15,r=8,p=3$SALT$HASH`.
 */
export class Passwords {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @throws {ApiError} ERR_INPUT: too short, or too long. */
  async hash(password: string): Promise<string> {
    if (password.length < MIN_PASSWORD_LENGTH || password.length > MAX_PASSWORD_LENGTH)
      throw new ApiError('ERR_INPUT', `password: ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters`);
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#derive(password, salt);
    return `$scrypt$ln=15,r=8,p=3$${base64(salt)}$${base64(hash)}`;
  }

  /** @param stored Absent: there is no such person. It takes as long then. */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const [, salt, hash] = PHC.exec(stored ?? '') ?? [];
    const derived = await this.#derive(password.slice(0, MAX_PASSWORD_LENGTH), Buffer.from(salt ?? 'AAAA', 'base64'));
    const expected = Buffer.from(hash ?? '', 'base64');
    return hash !== undefined && expected.length === HASH_BYTES && timingSafeEqual(derived, expected);
  }

  async #derive(password: string, salt: Uint8Array): Promise<Buffer> {
    if (this.#waiting.length >= MAX_WAITING) throw new ApiError('ERR_ATTEMPTS', 'too many sign-ins at once: try again');
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return await new Promise((resolve, reject) => {
        const options = { ...COSTS, maxmem: MAX_MEMORY_BYTES };
        scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) =>
          error === null ? resolve(key) : reject(error),
        );
      });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

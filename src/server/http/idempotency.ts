import { createHash } from 'node:crypto';

import { ApiError } from '../server-errors.js';

const KEEP_MS = 86_400_000;
const ENTRIES = 1_024;
const KEY = /^[\x21-\x7e]{1,255}$/;

interface Kept {
  readonly request: string;
  readonly output: Promise<unknown>;
  readonly sinceUnixMs: number;
}

/**
 * Answers of requests that make something, by the key that the caller chose: sent again, a request is answered as before
 * and makes nothing. The table lives in memory, for a day at most.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header.
 */
export class IdempotentAnswers {
  readonly #kept = new Map<string, Kept>();
  readonly #nowUnixMs: () => number;

  constructor(nowUnixMs: () => number) {
    this.#nowUnixMs = nowUnixMs;
  }

  /**
   * Runs a request, unless the same caller sent it before with the same key. A failure is not kept.
   *
   * @param caller The actor, with the operation.
   * @throws {ApiError} ERR_INPUT, ERR_KEY_REUSED: the key belongs to another request.
   */
  async once<T>(caller: string, key: string, input: unknown, run: () => Promise<T>): Promise<T> {
    if (!KEY.test(key)) throw new ApiError('ERR_INPUT', 'Idempotency-Key: 1 to 255 visible characters are expected');
    const name = `${caller} ${key}`;
    const request = createHash('sha256').update(JSON.stringify(input)).digest('hex');
    const kept = this.#current(name);
    if (kept !== undefined && kept.request !== request)
      throw new ApiError('ERR_KEY_REUSED', 'Idempotency-Key: it was sent with another request');
    if (kept !== undefined) return (await kept.output) as T;
    const output = run();
    this.#kept.set(name, { request, output, sinceUnixMs: this.#nowUnixMs() });
    if (this.#kept.size > ENTRIES) this.#kept.delete(this.#kept.keys().next().value!);
    output.catch(() => this.#kept.delete(name));
    return output;
  }

  #current(name: string): Kept | undefined {
    const kept = this.#kept.get(name);
    return kept === undefined || this.#nowUnixMs() - kept.sinceUnixMs > KEEP_MS ? undefined : kept;
  }
}

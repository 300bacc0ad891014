import { randomBytes } from 'node:crypto';

const LIFETIME_MS = 300_000;
const ENTRIES = 1_024;
const NAME_BYTES = 32;

/** A bounded table of actions that wait for their second half: each entry is taken once, within five minutes. */
export class Pending<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly sinceMs: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @returns Its name, which nobody can guess: base64url of 256 random bits. */
  add(value: T): string {
    const name = randomBytes(NAME_BYTES).toString('base64url');
    this.#entries.set(name, { value, sinceMs: this.#nowMs() });
    if (this.#entries.size > ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    return name;
  }

  take(name: string): T | undefined {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    return entry === undefined || this.#nowMs() - entry.sinceMs > LIFETIME_MS ? undefined : entry.value;
  }
}

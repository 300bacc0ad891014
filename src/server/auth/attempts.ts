import { parseIpAddress } from '../../control/ip-text.js';

const ENTRIES = 4_096;
/** Failures that are free. */
const FREE = 5;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 900_000;
const FORGET_MS = 3_600_000;

interface Failures {
  count: number;
  lastMs: number;
}

/**
 * Slows down guessing, per address (IPv4, or /64 of IPv6) and per account: after five failures each further one doubles the
 * wait, up to a quarter of an hour. The table has a fixed size.
 */
export class Attempts {
  readonly #failures = new Map<string, Failures>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @returns Seconds to wait; 0: go ahead. */
  waitSeconds(address: string, account: string): number {
    const waits = keysOf(address, account).map((key) => this.#waitMs(key));
    return Math.ceil(Math.max(...waits) / 1_000);
  }

  failed(address: string, account: string): void {
    for (const key of keysOf(address, account)) {
      const count = (this.#current(key)?.count ?? 0) + 1;
      this.#failures.delete(key);
      this.#failures.set(key, { count, lastMs: this.#nowMs() });
    }
    while (this.#failures.size > ENTRIES) this.#failures.delete(this.#failures.keys().next().value!);
  }

  succeeded(address: string, account: string): void {
    for (const key of keysOf(address, account)) this.#failures.delete(key);
  }

  #waitMs(key: string): number {
    const failures = this.#current(key);
    if (failures === undefined || failures.count < FREE) return 0;
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures.count - FREE));
    return Math.max(0, failures.lastMs + delayMs - this.#nowMs());
  }

  #current(key: string): Failures | undefined {
    const failures = this.#failures.get(key);
    return failures === undefined || this.#nowMs() - failures.lastMs > FORGET_MS ? undefined : failures;
  }
}

function keysOf(address: string, account: string): string[] {
  return [`address ${networkOf(address)}`, `account ${account.toLowerCase()}`];
}

function networkOf(address: string): string {
  const bytes = parseIpAddress(address);
  return bytes?.length === 16 ? Buffer.from(bytes.subarray(0, 8)).toString('hex') : address;
}

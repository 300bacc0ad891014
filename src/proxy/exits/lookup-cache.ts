import type { LookupAddress } from 'node:dns';

const KEEP_MS = 5_000;
const MAX_NAMES = 1_000;

type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

interface Entry {
  readonly addresses: Promise<readonly LookupAddress[]>;
  readonly endMs: number;
}

/**
 * Shares one lookup between all connections that want the same name at the same time, and for a few seconds after it.
 *
 * The time is short because a lookup does not report for how long its answer holds. Failures are shared while they are in
 * flight, and then forgotten.
 */
export class LookupCache {
  readonly #lookup: Lookup;
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(lookup: Lookup, nowMs: () => number) {
    this.#lookup = lookup;
    this.#nowMs = nowMs;
  }

  lookup(host: string): Promise<readonly LookupAddress[]> {
    const name = host.toLowerCase();
    const nowMs = this.#nowMs();
    const known = this.#entries.get(name);
    if (known !== undefined && nowMs < known.endMs) return known.addresses;
    this.#entries.delete(name);
    const addresses = this.#lookup(host);
    const entry = { addresses, endMs: nowMs + KEEP_MS };
    addresses.catch(() => {
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
    });
    this.#entries.set(name, entry);
    this.#forgetOldest();
    return addresses;
  }

  #forgetOldest(): void {
    if (this.#entries.size <= MAX_NAMES) return;
    for (const name of this.#entries.keys()) {
      this.#entries.delete(name);
      return;
    }
  }
}

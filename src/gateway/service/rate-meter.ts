/** How long a rate is averaged over, at least. */
const SPAN_MS = 1_000;
/** A sample that is older says nothing about now. */
const STALE_MS = 10_000;

export interface Rates {
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
}

interface Sample {
  readonly atMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly rates: Rates;
}

const NO_RATES: Rates = { receivedBytesPerSecond: 0, sentBytesPerSecond: 0 };

/** Rates of devices from their counters, worked out when somebody asks: nobody watches, nothing runs. */
export class RateMeter {
  readonly #samples = new Map<string, Sample>();

  ratesOf(device: string, receivedBytes: number, sentBytes: number, nowMs: number): Rates {
    const before = this.#samples.get(device);
    if (before !== undefined && nowMs - before.atMs < SPAN_MS) return before.rates;
    const isFresh = before !== undefined && nowMs - before.atMs < STALE_MS;
    const seconds = isFresh ? (nowMs - before.atMs) / 1_000 : 1;
    const rates = isFresh
      ? {
          receivedBytesPerSecond: Math.max(0, Math.round((receivedBytes - before.receivedBytes) / seconds)),
          sentBytesPerSecond: Math.max(0, Math.round((sentBytes - before.sentBytes) / seconds)),
        }
      : NO_RATES;
    this.#samples.set(device, { atMs: nowMs, receivedBytes, sentBytes, rates });
    return rates;
  }

  forget(device: string): void {
    this.#samples.delete(device);
  }
}

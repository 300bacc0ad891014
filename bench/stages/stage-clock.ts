import { median } from '../statistics.js';

/** Collects the times of a stage per batch, and returns the median per packet. */
export class StageClock {
  readonly #nanoseconds = new Map<string, number[]>();

  /** Times one call for so many packets. */
  time(stage: string, packets: number, work: () => void): void {
    const startMs = performance.now();
    work();
    const nanoseconds = ((performance.now() - startMs) * 1e6) / packets;
    const list = this.#nanoseconds.get(stage) ?? [];
    this.#nanoseconds.set(stage, list);
    list.push(nanoseconds);
  }

  /** Forgets what was measured: the compiler has settled only now. */
  restart(): void {
    this.#nanoseconds.clear();
  }

  /** Median nanoseconds per packet, by stage, in the order of their first call. */
  get medians(): Map<string, number> {
    return new Map(Array.from(this.#nanoseconds, ([stage, list]) => [stage, median(list)]));
  }
}

import type { DeviceSession, TrafficSample } from '../gateway-model.js';
import type { GatewayStore } from '../gateway-store.js';

/** A span of time, and the greatest number of samples that are wanted of it. */
export interface HistoryQuery {
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly buckets: number;
}

/** Traffic and sessions of the past, of one device or of all. */
export class History {
  readonly #store: Pick<GatewayStore, 'traffic' | 'sessions'>;
  readonly #ids: () => Iterable<string>;

  constructor(store: Pick<GatewayStore, 'traffic' | 'sessions'>, ids: () => Iterable<string>) {
    this.#store = store;
    this.#ids = ids;
  }

  async traffic(id: string | undefined, query: HistoryQuery): Promise<readonly TrafficSample[]> {
    const { fromUnixMs, toUnixMs, buckets } = query;
    const all = this.#of(id).map((each) => this.#store.traffic(each, fromUnixMs, toUnixMs, buckets));
    return added((await Promise.all(all)).flat());
  }

  /** The oldest first. */
  async sessions(id: string | undefined, fromUnixMs: number, toUnixMs: number): Promise<readonly DeviceSession[]> {
    const all = await Promise.all(this.#of(id).map((each) => this.#store.sessions(each, fromUnixMs, toUnixMs)));
    return all.flat().toSorted((a, b) => a.startUnixMs - b.startUnixMs);
  }

  #of(id: string | undefined): string[] {
    return id === undefined ? [...this.#ids()] : [id];
  }
}

/** Adds samples that start at the same moment, the oldest first. */
function added(samples: readonly TrafficSample[]): TrafficSample[] {
  const sums = new Map<number, TrafficSample>();
  for (const sample of samples) {
    const sum = sums.get(sample.startUnixMs);
    sums.set(sample.startUnixMs, {
      ...sample,
      receivedBytes: sample.receivedBytes + (sum?.receivedBytes ?? 0),
      sentBytes: sample.sentBytes + (sum?.sentBytes ?? 0),
    });
  }
  return [...sums.values()].toSorted((a, b) => a.startUnixMs - b.startUnixMs);
}

import type { EngineStatus, GatewayEngine } from '../gateway-engine.js';
import type { GatewayDevice } from '../gateway-model.js';
import type { DeviceCondition, DeviceView } from '../gateway-service.js';
import { conditionOf } from './device-condition.js';
import { RateMeter } from './rate-meter.js';

/** The view of a device that the engine does not know. */
export const GONE: Omit<DeviceView, 'device'> = {
  condition: 'never-seen',
  reason: { code: 'removed', seconds: 0 },
  receivedBytes: 0,
  sentBytes: 0,
  quotaUsedBytes: 0,
  receivedBytesPerSecond: 0,
  sentBytesPerSecond: 0,
  proof: {},
  drops: {},
};

/** The view of devices for people: all that is kept of them, together with what the engine sees. */
export class DeviceViews {
  readonly #engine: GatewayEngine;
  readonly #rates = new RateMeter();
  readonly #lastSeenUnixMs: Map<string, number>;

  /** @param lastSeenUnixMs By device, from before this start. */
  constructor(engine: GatewayEngine, lastSeenUnixMs: ReadonlyMap<string, number>) {
    this.#engine = engine;
    this.#lastSeenUnixMs = new Map(lastSeenUnixMs);
  }

  of(device: GatewayDevice): DeviceView {
    const status = this.#engine.status(device.id);
    return status === undefined ? { device, ...GONE } : { device, ...this.#seen(device.id, status) };
  }

  /** Counters of devices since the engine was opened. */
  *totalsOf(ids: Iterable<string>): Iterable<readonly [string, { receivedBytes: number; sentBytes: number }]> {
    for (const id of ids) {
      const counts = this.#engine.status(id)?.report.counts;
      if (counts !== undefined) yield [id, { receivedBytes: counts.receivedBytes, sentBytes: counts.sentBytes }];
    }
  }

  noteSeen(id: string, atUnixMs: number): void {
    this.#lastSeenUnixMs.set(id, atUnixMs);
  }

  forget(id: string): void {
    this.#rates.forget(id);
  }

  #seen(id: string, status: EngineStatus): Omit<DeviceView, 'device'> {
    const { report, lastHandshakeUnixMs = this.#lastSeenUnixMs.get(id), endpoint, proof } = status;
    const { counts, quota } = report;
    return {
      ...conditionOf(status, lastHandshakeUnixMs !== undefined),
      ...(lastHandshakeUnixMs === undefined ? {} : { lastHandshakeUnixMs }),
      ...(endpoint === undefined ? {} : { endpoint }),
      receivedBytes: counts.receivedBytes,
      sentBytes: counts.sentBytes,
      quotaUsedBytes: quota?.usedBytes ?? 0,
      ...this.#rates.ratesOf(id, counts.receivedBytes, counts.sentBytes, performance.now()),
      proof,
      drops: {
        standing: counts.standingDrops,
        denied: counts.deniedDrops,
        upRate: counts.upRateDrops,
        downRate: counts.downRateDrops,
      },
    };
  }
}

/** Counts devices by condition. */
export function countConditions(views: readonly DeviceView[]): Record<DeviceCondition, number> {
  const counts = { online: 0, asleep: 0, 'never-seen': 0, blocked: 0, 'in-trouble': 0 };
  for (const { condition } of views) counts[condition]++;
  return counts;
}

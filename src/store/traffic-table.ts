import type { TrafficSample } from '../gateway/gateway-model.js';
import type { Database } from './database.js';
import type { LocalDays } from './local-days.js';
import type { SqlRow } from './sqlite.js';
import { chooseTier, DAY_TIER, TIERS, type Tier } from './traffic-tiers.js';

/** Traffic of a device over a span, with the fastest stretch that was added to it. */
export interface StoredTrafficSample extends TrafficSample {
  readonly receivedPeakBytesPerSecond: number;
  readonly sentPeakBytesPerSecond: number;
}

/** Bytes of a device. */
export interface Traffic {
  readonly received: number;
  readonly sent: number;
}

/** A day begins up to this much earlier than a multiple of 24 hours after another day, by changes of clocks. */
const DAY_SLACK_MS = 2 * 3_600_000;

const ADD_SQL = `
  INSERT INTO traffic VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    received_bytes = received_bytes + excluded.received_bytes,
    sent_bytes = sent_bytes + excluded.sent_bytes,
    received_peak = max(received_peak, excluded.received_peak),
    sent_peak = max(sent_peak, excluded.sent_peak)`;
const READ_SQL = `
  SELECT traffic.* FROM names JOIN traffic ON traffic.device = names.number
  WHERE names.device = ? AND tier = ? AND start_unix_seconds >= ? AND start_unix_seconds < ?
  ORDER BY start_unix_seconds`;

/**
 * Traffic by device in tiers, as a round-robin database has it: fine for the last days, coarse for ever.
 *
 * Call the methods within a transaction or `Database.attempt`.
 */
export class TrafficTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Counts bytes in each tier, whole, where the span starts. @param device Number of the device in `names`. */
  add(device: number, startUnixMs: number, seconds: number, { received, sent }: Traffic, days: LocalDays): void {
    if (received === 0 && sent === 0) return;
    const peaks = [received, sent].map((bytes) => Math.round(bytes / Math.max(1, seconds)));
    for (const tier of TIERS) {
      const startSeconds = spanStart(startUnixMs, tier, days) / 1_000;
      this.#database.statement(ADD_SQL).run(device, tier.tier, startSeconds, received, sent, ...peaks);
    }
  }

  /** Returns traffic in at most `buckets` samples, the oldest first. A bucket without traffic has no sample. */
  read(device: string, query: TrafficQuery, days: LocalDays, nowUnixMs: number): readonly StoredTrafficSample[] {
    const { fromUnixMs, toUnixMs, buckets } = query;
    if (toUnixMs <= fromUnixMs || buckets < 1) return [];
    const tier = chooseTier(fromUnixMs, toUnixMs, buckets, nowUnixMs);
    const scale = new Scale(query, tier, days);
    const rows = this.#database.statement(READ_SQL).all(device, tier.tier, scale.first / 1_000, toUnixMs / 1_000);
    return merge(rows, scale);
  }

  /** Removes what has been kept for its time. */
  removeOld(nowUnixMs: number): void {
    const sql = `DELETE FROM traffic
      WHERE device IN (SELECT number FROM names) AND tier = ? AND start_unix_seconds < ?`;
    for (const { tier, keptMs, spanMs } of TIERS)
      if (Number.isFinite(keptMs))
        this.#database.statement(sql).run(tier, Math.floor((nowUnixMs - keptMs - spanMs) / 1_000));
  }
}

/** Which traffic to read, and in how many samples at most. */
export interface TrafficQuery {
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly buckets: number;
}

/** The buckets of an answer: whole spans of a tier, as many in each bucket. */
class Scale {
  /** The first bucket begins with the span that `fromUnixMs` is in. */
  readonly first: number;
  readonly #bucketMs: number;
  readonly #slackMs: number;
  readonly #days: LocalDays;

  constructor({ fromUnixMs, toUnixMs, buckets }: TrafficQuery, tier: Tier, days: LocalDays) {
    this.first = spanStart(fromUnixMs, tier, days);
    this.#bucketMs = Math.ceil((toUnixMs - this.first) / buckets / tier.spanMs) * tier.spanMs;
    this.#slackMs = tier === DAY_TIER ? DAY_SLACK_MS : 0;
    this.#days = days;
  }

  bucketOf(startUnixMs: number): number {
    return Math.floor((startUnixMs - this.first + this.#slackMs) / this.#bucketMs);
  }

  startOf(bucket: number): number {
    const start = this.first + bucket * this.#bucketMs;
    return this.#slackMs === 0 ? start : this.#days.startOf(start + this.#slackMs);
  }
}

function spanStart(unixMs: number, tier: Tier, days: LocalDays): number {
  return tier === DAY_TIER ? days.startOf(unixMs) : Math.floor(unixMs / tier.spanMs) * tier.spanMs;
}

/** @param rows In the order of time. */
function merge(rows: readonly SqlRow[], scale: Scale): StoredTrafficSample[] {
  const samples = new Map<number, StoredTrafficSample>();
  for (const row of rows) {
    const bucket = scale.bucketOf(Number(row['start_unix_seconds']) * 1_000);
    samples.set(bucket, sumOf(samples.get(bucket) ?? emptySample(scale, bucket), row));
  }
  return [...samples.values()];
}

function emptySample(scale: Scale, bucket: number): StoredTrafficSample {
  const startUnixMs = scale.startOf(bucket);
  return {
    startUnixMs,
    seconds: (scale.startOf(bucket + 1) - startUnixMs) / 1_000,
    receivedBytes: 0,
    sentBytes: 0,
    receivedPeakBytesPerSecond: 0,
    sentPeakBytesPerSecond: 0,
  };
}

function sumOf(sample: StoredTrafficSample, row: SqlRow): StoredTrafficSample {
  return {
    ...sample,
    receivedBytes: sample.receivedBytes + Number(row['received_bytes']),
    sentBytes: sample.sentBytes + Number(row['sent_bytes']),
    receivedPeakBytesPerSecond: Math.max(sample.receivedPeakBytesPerSecond, Number(row['received_peak'])),
    sentPeakBytesPerSecond: Math.max(sample.sentPeakBytesPerSecond, Number(row['sent_peak'])),
  };
}

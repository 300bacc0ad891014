const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Traffic in spans of one length, and how long such spans are kept. */
export interface Tier {
  /** Its number in the table. */
  readonly tier: number;
  readonly spanMs: number;
  readonly keptMs: number;
}

/** Days of the gateway's time zone, kept for ever. A day with a change of clocks is an hour longer or shorter. */
export const DAY_TIER: Tier = { tier: 3, spanMs: DAY_MS, keptMs: Number.POSITIVE_INFINITY };

/** The finest first. A byte is counted in each of them, so sums stay exact whatever is removed from finer ones. */
export const TIERS: readonly Tier[] = [
  { tier: 0, spanMs: MINUTE_MS, keptMs: 48 * HOUR_MS },
  { tier: 1, spanMs: 15 * MINUTE_MS, keptMs: 35 * DAY_MS },
  { tier: 2, spanMs: HOUR_MS, keptMs: 400 * DAY_MS },
  DAY_TIER,
];

/** Chooses the tier for a chart: the coarsest that still fills all of its buckets, among those that reach back enough. */
export function chooseTier(fromUnixMs: number, toUnixMs: number, buckets: number, nowUnixMs: number): Tier {
  const bucketMs = (toUnixMs - fromUnixMs) / buckets;
  const reaching = TIERS.filter(({ keptMs }) => nowUnixMs - fromUnixMs <= keptMs);
  return reaching.findLast(({ spanMs }) => spanMs <= bucketMs) ?? reaching[0] ?? DAY_TIER;
}

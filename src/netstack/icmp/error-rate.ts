import { ADDRESS_WORDS } from '../address.js';

/** Linux's bound for all errors together (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f). */
const ERRORS_PER_SECOND = 1_000;
/** Linux's bound for one destination: one in a second, after some at once. */
const DESTINATION_BURST = 6;
const DESTINATION_INTERVAL_MS = 1_000;
const DESTINATIONS = 256;

/**
 * How many ICMP errors may leave: in all, and to one destination. Destinations share a fixed number of buckets, so that no flood makes
 * the table grow.
 */
export class ErrorRate {
  readonly #credit = new Float64Array(DESTINATIONS).fill(DESTINATION_BURST);
  readonly #creditedMs = new Float64Array(DESTINATIONS);
  #sent = 0;
  #sinceMs = -Infinity;

  /** @param destination `undefined`: only the bound for all counts. @returns Whether one more may leave, which is counted. */
  take(destination: Int32Array | undefined, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= 1_000) {
      this.#sinceMs = nowMs;
      this.#sent = 0;
    }
    if (this.#sent >= ERRORS_PER_SECOND) return false;
    if (destination !== undefined && !this.#takeFrom(bucketOf(destination), nowMs)) return false;
    this.#sent++;
    return true;
  }

  #takeFrom(bucket: number, nowMs: number): boolean {
    const earned = Math.max(nowMs - this.#creditedMs[bucket]!, 0) / DESTINATION_INTERVAL_MS;
    this.#creditedMs[bucket] = nowMs;
    this.#credit[bucket] = Math.min(this.#credit[bucket]! + earned, DESTINATION_BURST);
    if (this.#credit[bucket]! < 1) return false;
    this.#credit[bucket]!--;
    return true;
  }
}

function bucketOf(destination: Int32Array): number {
  let hash = 0;
  for (let i = 0; i < ADDRESS_WORDS; i++) hash = Math.imul(hash ^ destination[i]!, 0x9e37_79b1) ^ (hash >>> 15);
  return (hash ^ (hash >>> 16)) & (DESTINATIONS - 1);
}

/** The traffic that may be sent at once after a pause, as time at the full rate. */
const BURST_MS = 250;
/** At low rates the burst holds a few packets all the same: TCP needs three duplicates to see a loss early. */
const MIN_BURST_BYTES = 24 * 1_500;

/**
 * Bounds the rate of one direction of a device.
 *
 * A token bucket as one number: the time at which it is full again. A packet that finds too little is dropped and not
 * delayed. A delay needs a queue per device and direction, with its memory, its timer and a copy of each packet, and a
 * standing queue makes every other flow of the device late; the sender's congestion control finds the rate from losses
 * just as well, as it does at any bottleneck with a short queue. The burst is what such a queue would hold.
 */
export class TokenBucket {
  #msPerByte = 0;
  #burstMs = 0;
  #fullAtMs = 0;

  /** @param bitsPerSecond Absent: no bound. 0: nothing passes. */
  setRate(bitsPerSecond: number | undefined): void {
    this.#msPerByte = bitsPerSecond === undefined ? 0 : 8_000 / bitsPerSecond;
    this.#burstMs = bitsPerSecond === 0 ? 0 : Math.max(BURST_MS, MIN_BURST_BYTES * this.#msPerByte);
  }

  /** Takes the tokens of a packet, if they are there. */
  take(lengthBytes: number, nowMs: number): boolean {
    if (this.#msPerByte === 0) return true;
    const fullAtMs = Math.max(this.#fullAtMs, nowMs) + lengthBytes * this.#msPerByte;
    if (fullAtMs - nowMs > this.#burstMs) return false;
    this.#fullAtMs = fullAtMs;
    return true;
  }
}

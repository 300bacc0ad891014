import type { PolicyDevice } from './access.js';
import type { PolicyClock } from './policy-clock.js';
import { Quota } from './quota.js';
import { TokenBucket } from './token-bucket.js';

/** Whether a device may use more than the gateway itself, and if not, why. */
export type Standing = 'good' | 'device-blocked' | 'device-expired' | 'quota-used';

/** Counts of the packets of a device, by their fate. Bytes are those of inner packets. */
export interface DeviceCounts {
  receivedBytes: number;
  sentBytes: number;
  receivedPackets: number;
  sentPackets: number;
  /** Dropped since the device is blocked, expired or out of quota. */
  standingDrops: number;
  /** Dropped on the way to another device, as decided. */
  deniedDrops: number;
  /** Dropped above the rate from the device. */
  upRateDrops: number;
  /** Dropped above the rate to the device. */
  downRateDrops: number;
}

/** A device with its buckets, its counts and its standing. */
export class DeviceState {
  readonly up = new TokenBucket();
  readonly down = new TokenBucket();
  readonly quota = new Quota();
  readonly counts: DeviceCounts = {
    receivedBytes: 0,
    sentBytes: 0,
    receivedPackets: 0,
    sentPackets: 0,
    standingDrops: 0,
    deniedDrops: 0,
    upRateDrops: 0,
    downRateDrops: 0,
  };
  readonly #clock: PolicyClock;
  readonly #onChange: () => void;
  #device: PolicyDevice;
  #standing: Standing = 'good';
  #nextChangeMs = 0;

  /** @param onChange Called when the standing has changed. */
  constructor(device: PolicyDevice, clock: PolicyClock, onChange: () => void) {
    this.#device = device;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get device(): PolicyDevice {
    return this.#device;
  }

  /** When the standing or the period of the quota may change by itself; Infinity: never. */
  get nextChangeMs(): number {
    return this.#nextChangeMs;
  }

  /** Takes new settings. Counts, and what is used of a quota, stay. */
  configure(device: PolicyDevice, nowMs: number): void {
    this.#device = device;
    this.up.setRate(device.limits.upBitsPerSecond);
    this.quota.boundBytes = device.limits.quotaBytes ?? Infinity;
    this.down.setRate(device.limits.downBitsPerSecond);
    this.refresh(nowMs);
  }

  standingAt(nowMs: number): Standing {
    if (nowMs >= this.#nextChangeMs) this.refresh(nowMs);
    return this.#standing;
  }

  countReceived(lengthBytes: number, nowMs: number): void {
    this.counts.receivedPackets++;
    this.counts.receivedBytes += lengthBytes;
    this.#use(lengthBytes, nowMs);
  }

  countSent(lengthBytes: number, nowMs: number): void {
    this.counts.sentPackets++;
    this.counts.sentBytes += lengthBytes;
    this.#use(lengthBytes, nowMs);
  }

  /** Works out standing and period anew: a deadline has passed, the clock was read, or the settings have changed. */
  refresh(nowMs: number): void {
    const { expiresAtUnixMs } = this.#device;
    const unixMs = this.#clock.unixMsAt(nowMs);
    const period = this.#clock.calendar.periodAt(unixMs, this.#device.limits.quotaResetDay ?? 1);
    this.quota.enter(period, unixMs);
    const isExpired = expiresAtUnixMs !== undefined && unixMs >= expiresAtUnixMs;
    const expiryMs = expiresAtUnixMs === undefined || isExpired ? Infinity : this.#clock.nowMsAt(expiresAtUnixMs);
    this.#nextChangeMs = Math.min(expiryMs, this.#clock.nowMsAt(period.endUnixMs));
    this.#setStanding(isExpired);
  }

  #setStanding(isExpired: boolean): void {
    const before = this.#standing;
    this.#standing = this.#device.isBlocked
      ? 'device-blocked'
      : isExpired
        ? 'device-expired'
        : this.quota.isUsedUp
          ? 'quota-used'
          : 'good';
    if (this.#standing !== before) this.#onChange();
  }

  #use(lengthBytes: number, nowMs: number): void {
    this.quota.usedBytes += lengthBytes;
    if (this.#standing === 'good' && this.quota.isUsedUp) this.refresh(nowMs);
  }
}

import { PATH_MTU_LIFETIME_MS } from '../constants.js';
import { isBefore } from '../sequence.js';
import { LOST, type SendRecords } from './send-records.js';

/** A search ends when it knows the path's MTU to so many bytes. */
const RESOLUTION_BYTES = 32;

/**
 * The way back up of a connection whose path turned out to be narrow: single segments of greater size, which carry data.
 *
 * The first probe has the size of the link, since a path that changed mostly is as wide as it was. Then the search halves what is
 * unknown, and rests when little is left.
 *
 * Source: RFC 4821 §7.2, §7.3; RFC 8201 §4; RFC 1191 §6.3.
 */
export class PathSearch {
  /** When the next probe may leave. */
  dueAtMs: number;
  /** MTU of the probe that is out; 0: none is. */
  probedMtu = 0;
  probeStart = 0;
  probeEnd = 0;
  /** The least size that did not pass; `Infinity` before the first failure. */
  #refusedMtu = Infinity;
  /** Size that a router gave; 0: none. */
  #statedMtu = 0;

  /** @param waitMs How long nothing is tried. */
  constructor(nowMs: number, waitMs: number = PATH_MTU_LIFETIME_MS) {
    this.dueAtMs = nowMs + waitMs;
  }

  /** Returns the MTU to try now, greater than `pathMtu`; 0: none. */
  candidate(pathMtu: number, linkMtu: number, nowMs: number): number {
    if (nowMs < this.dueAtMs || this.probedMtu > 0) return 0;
    if (this.#refusedMtu === Infinity) return linkMtu;
    const top = Math.min(linkMtu, this.#refusedMtu - 1);
    if (this.#statedMtu > pathMtu && this.#statedMtu <= top) return this.#statedMtu;
    if (top - pathMtu >= RESOLUTION_BYTES) return Math.ceil((pathMtu + top) / 2);
    this.dueAtMs = nowMs + PATH_MTU_LIFETIME_MS;
    this.#refusedMtu = Infinity;
    this.#statedMtu = 0;
    return 0;
  }

  sent(mtu: number, start: number, end: number): void {
    this.probedMtu = mtu;
    this.probeStart = start;
    this.probeEnd = end;
  }

  /** Whether a segment that begins at `sequence` is the probe that is out. */
  isProbe(sequence: number): boolean {
    return this.probedMtu > 0 && sequence === this.probeStart;
  }

  isProbeLost(records: SendRecords, sndUna: number): boolean {
    const index = records.indexOf(isBefore(this.probeStart, sndUna) ? sndUna : this.probeStart);
    return index >= 0 && records.has(index, LOST);
  }

  /** The probe did not arrive, or a router refused it. @param statedMtu What the router gave; 0: nothing. */
  failed(statedMtu = 0): void {
    if (this.probedMtu === 0) return;
    const isStated = statedMtu > 0 && statedMtu < this.probedMtu;
    this.#statedMtu = isStated ? statedMtu : 0;
    this.#refusedMtu = isStated ? statedMtu + 1 : this.probedMtu;
    this.probedMtu = 0;
  }

  /** The probe arrived. @returns Its size. */
  passed(): number {
    const mtu = this.probedMtu;
    this.probedMtu = 0;
    return mtu;
  }
}

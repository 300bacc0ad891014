import { isIpv4Address } from '../address.js';
import { MIN_PATH_MTU4, MIN_PATH_MTU6, PATH_MTU_LIFETIME_MS } from '../constants.js';

/** Guesses for a router that gives no MTU (RFC 1191 §7): the next lower size of common links. */
const PLATEAUS = [1_492, 1_400, 1_280, 1_006, MIN_PATH_MTU4] as const;
const MAX_DESTINATIONS = 1_024;

interface Entry {
  readonly mtu: number;
  readonly expiresAtMs: number;
}

/**
 * The MTU towards each destination whose path is narrower than the tunnel, as routers report it.
 *
 * A value is forgotten after ten minutes, so that a wider path is found again. TCP, which can test a size without losing
 * anything else, asks a `PathSearch` in place of waiting for the next error.
 *
 * Source: RFC 1191 §6.3, §7; RFC 8201 §4, §5.2, §5.3.
 */
export class PathMtus {
  readonly #linkMtu: () => number;
  /** Sorted by the time at which they expire, since each has the same lifetime. */
  readonly #entries = new Map<string, Entry>();

  /** @param linkMtu Returns the MTU of the tunnel. */
  constructor(linkMtu: () => number) {
    this.#linkMtu = linkMtu;
  }

  get linkMtu(): number {
    return this.#linkMtu();
  }

  get count(): number {
    return this.#entries.size;
  }

  mtuOf(destination: Int32Array): number {
    const entry = this.#entries.size === 0 ? undefined : this.#entries.get(destination.join());
    return entry === undefined ? this.linkMtu : Math.min(entry.mtu, this.linkMtu);
  }

  /** Takes a router's report: never up. @param statedMtu 0: the router gave none. */
  refuse(destination: Int32Array, statedMtu: number, nowMs: number): void {
    const current = this.mtuOf(destination);
    const mtu = narrowedMtu(current, statedMtu, isIpv4Address(destination));
    if (mtu < current) this.#set(destination, mtu, nowMs);
  }

  /** Takes note that packets of `mtu` bytes arrive. */
  confirm(destination: Int32Array, mtu: number, nowMs: number): void {
    if (mtu >= this.linkMtu) this.#entries.delete(destination.join());
    else this.#set(destination, mtu, nowMs);
  }

  nextDeadline(): number {
    const [oldest] = this.#entries.values();
    return oldest?.expiresAtMs ?? Infinity;
  }

  /** Forgets what is ten minutes old. */
  runDue(nowMs: number): void {
    for (const [key, { expiresAtMs }] of this.#entries) {
      if (expiresAtMs > nowMs) return;
      this.#entries.delete(key);
    }
  }

  #set(destination: Int32Array, mtu: number, nowMs: number): void {
    const key = destination.join();
    this.#entries.delete(key);
    if (this.#entries.size >= MAX_DESTINATIONS) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, { mtu, expiresAtMs: nowMs + PATH_MTU_LIFETIME_MS });
  }
}

/** Returns the MTU after a refusal: what the router states, or a guess, but never below what every path must carry. */
export function narrowedMtu(current: number, statedMtu: number, isIpv4: boolean): number {
  const least = isIpv4 ? MIN_PATH_MTU4 : MIN_PATH_MTU6;
  const guess = statedMtu > 0 ? statedMtu : (PLATEAUS.find((mtu) => mtu < current) ?? least);
  return Math.min(Math.max(guess, least), current);
}

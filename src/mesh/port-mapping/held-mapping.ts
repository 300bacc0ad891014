import type { ExternalAddress } from './pcp.js';

/** Longer lifetimes count as a day (RFC 6887 §15). */
const MAX_LIFETIME_MS = 86_400_000;
/** How long a mapping that the router has lost is still reported, while the router is asked for it again. */
const LOST_MS = 30_000;
const NEVER = Infinity;

export type Granter = 'pcp' | 'nat-pmp';

/** The mapping that a router has granted, until it expires. */
export class HeldMapping {
  #mapping: ExternalAddress | undefined;
  #reported: ExternalAddress | undefined;
  #granter: Granter = 'pcp';
  #expiresAtMs = NEVER;

  get current(): ExternalAddress | undefined {
    return this.#mapping;
  }

  /** The protocol that has granted it. Nothing is held: `undefined`. */
  get granter(): Granter | undefined {
    return this.#mapping === undefined ? undefined : this.#granter;
  }

  /** When it ends, or `Infinity` while nothing is held. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /** @returns For how long the mapping is taken to live. */
  set(mapping: ExternalAddress, granter: Granter, lifetimeSeconds: number, nowMs: number): number {
    const lifetimeMs = Math.min(lifetimeSeconds * 1_000, MAX_LIFETIME_MS);
    this.#mapping = mapping;
    this.#granter = granter;
    this.#expiresAtMs = nowMs + lifetimeMs;
    return lifetimeMs;
  }

  clear(): void {
    this.#mapping = undefined;
    this.#expiresAtMs = NEVER;
  }

  /** Lets the mapping end soon, unless it is granted again. */
  lose(nowMs: number): void {
    if (this.#mapping !== undefined) this.#expiresAtMs = Math.min(this.#expiresAtMs, nowMs + LOST_MS);
  }

  hasAddress(address: Uint8Array): boolean {
    return areEqual(this.#mapping?.address, address);
  }

  /** Tests whether the mapping is another one than at the last call. */
  takeChange(): boolean {
    const [before, after] = [this.#reported, this.#mapping];
    this.#reported = after;
    return before?.port !== after?.port || !areEqual(before?.address, after?.address);
  }
}

function areEqual(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

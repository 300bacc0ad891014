import { earliestStamp } from '../earliest-stamp.js';
import type { KnownMap } from './known-map.js';
import type { NodeState } from './node-state.js';

const SAVE_MS = 1_000;
/** Where nothing changes, the time of the stamps is written down this often. */
const REFRESH_MS = 3_600_000;

/** The keeper of what an agent must not forget: keys, hub and map. A change is written soon, and at once where it must not be lost. */
export class StateKeeper {
  /** Stamps of handshakes begin here: see `earliestStamp`. */
  readonly earliestStampUnixMs: number;
  readonly #map: KnownMap;
  readonly #write: (state: NodeState) => Promise<void>;
  readonly #nowUnixMs: () => number;
  /** The latest time that handshakes may have been stamped with. It never goes back, as the clock may. */
  #stampUnixMs: number;
  #state: NodeState;
  #saving: NodeJS.Timeout | undefined;
  #isForgotten = false;
  readonly #refresh = setInterval(() => this.change({}), REFRESH_MS).unref();

  /** @param nowUnixMs The clock that handshakes are stamped by. */
  constructor(
    state: NodeState,
    map: KnownMap,
    write: (state: NodeState) => Promise<void>,
    nowUnixMs: () => number = Date.now,
  ) {
    this.#nowUnixMs = nowUnixMs;
    this.earliestStampUnixMs = earliestStamp(state.stampUnixMs ?? 0, nowUnixMs());
    this.#stampUnixMs = this.earliestStampUnixMs;
    this.#state = state;
    this.#map = map;
    this.#write = write;
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Takes members of the state. They are written within a second, with the map as it is then. */
  change(change: Partial<NodeState>): void {
    this.#state = { ...this.#state, ...change };
    this.#saving ??= setTimeout(() => void this.save().catch(() => {}), SAVE_MS).unref();
  }

  /** The next key is the key now: from here on the file must have it. */
  async useNextKey(nowUnixMs: number): Promise<void> {
    const { next, ...rest } = this.#state;
    if (next === undefined) return;
    this.#state = { ...rest, ...next, keyMadeUnixMs: nowUnixMs };
    await this.save();
  }

  /** Writes nothing any more: the node has left, and its file is about to be removed. */
  forget(): void {
    this.#isForgotten = true;
  }

  async close(): Promise<void> {
    clearInterval(this.#refresh);
    await this.save();
  }

  async save(): Promise<void> {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    if (this.#isForgotten) return;
    const { rev, rules, entries, seen } = this.#map;
    const map = { entries: [...entries.values()], rules: [...rules], ...(rev === undefined ? {} : { rev }) };
    this.#stampUnixMs = Math.max(this.#stampUnixMs, this.#nowUnixMs());
    this.#state = { ...this.#state, map, seen: Object.fromEntries(seen), stampUnixMs: this.#stampUnixMs };
    await this.#write(this.#state);
  }
}

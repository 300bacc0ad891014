const EXPIRE_EVERY_MS = 1_000;

/** Something that ends when it has not been used for a while. */
export interface Flow {
  close(): void;
}

/** Flows by key, a bounded number of them, each of which ends when it is idle. */
export class FlowTable<Entry extends Flow> {
  /** A flow ends when it has not been used for this long. */
  idleMs: number;
  readonly #capacity: number;
  /** The least recently used one first. */
  readonly #flows = new Map<string, { readonly flow: Entry; lastMs: number }>();
  readonly #timer: NodeJS.Timeout;

  constructor(capacity: number, idleMs: number) {
    this.#capacity = capacity;
    this.idleMs = idleMs;
    this.#timer = setInterval(() => this.expire(performance.now()), EXPIRE_EVERY_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#flows.size;
  }

  /** Finds a flow, and counts that as use. */
  use(key: string, nowMs: number): Entry | undefined {
    const found = this.#flows.get(key);
    if (found === undefined) return undefined;
    found.lastMs = nowMs;
    this.#flows.delete(key);
    this.#flows.set(key, found);
    return found.flow;
  }

  /** Adds a flow; the one that was used longest ago makes room for it. */
  add(key: string, flow: Entry, nowMs: number): void {
    if (this.#flows.size >= this.#capacity) this.remove(this.#flows.keys().next().value!);
    this.#flows.set(key, { flow, lastMs: nowMs });
  }

  remove(key: string): void {
    this.#flows.get(key)?.flow.close();
    this.#flows.delete(key);
  }

  /** Ends the flows that have been idle for too long. */
  expire(nowMs: number): void {
    for (const [key, { lastMs }] of this.#flows) {
      if (nowMs - lastMs < this.idleMs) return;
      this.remove(key);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const key of [...this.#flows.keys()]) this.remove(key);
  }
}

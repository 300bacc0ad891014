import type { MapEntry, MapMessage } from '../map/messages.js';

/** The connection of an agent, as the publisher needs it. */
export interface MapSubscriber {
  readonly node: string;
  /** @returns `false`: too much waits already; the agent shall come again. */
  send(text: string): boolean;
}

/** The network as it is now: its nodes, and which of them see each other. */
export interface MapSource {
  /** `undefined`: no node, or one that waits for its signature. */
  entryOf(id: string): MapEntry | undefined;
  sees(a: string, b: string): boolean;
  /** Whether a node saw one that is gone. */
  saw(a: string, gone: string): boolean;
  neighbours(id: string): readonly string[];
  /** The members of a full map besides its entries. */
  extrasOf(id: string): Pick<MapMessage, 'self' | 'hub' | 'rules'>;
}

interface Published {
  readonly entry: MapEntry;
  readonly text: string;
}

/** An agent that has missed more changes than these gets everything. */
const MAX_CHANGES = 20_000;
/** Full maps that are under way at once: after a restart everyone wants one, and each may be megabytes. */
const FULL_AT_ONCE = 8;
/** One that is not acknowledged for so long holds up nobody else. */
const ACKNOWLEDGED_MS = 10_000;
const LOOK_MS = 5_000;
/** Changes that follow another one within this time go out together: a thousand hosts that join are not a million messages. */
const TOGETHER_MS = 250;
/** The time grows with the crowd: to tell one agent takes the hub about 0.05 ms, so that hosts that join take a tenth of it. */
const TOGETHER_MS_PER_AGENT = 0.5;

/**
 * Tells agents what has changed in the part of the network that they see.
 *
 * A change costs one piece of JSON, however many agents it goes to. The first change goes out at once, those that follow soon wait a
 * moment for each other; a node that is gone never waits. An agent that comes back with the revision that it had gets what it
 * missed, unless that is no longer known, or rules have changed: then it gets everything.
 */
export class MapPublisher {
  readonly #source: MapSource;
  readonly #onWaiting: () => void;
  readonly #entries = new Map<string, Published>();
  /** Nodes that changed or went, oldest first. */
  readonly #changes: { readonly id: string; readonly rev: number }[] = [];
  readonly #subscribers = new Set<MapSubscriber>();
  /** Subscribers that wait for a full map. What changes meanwhile is in it. */
  readonly #wantsFull = new Set<MapSubscriber>();
  /** Subscribers with a full map that they have not acknowledged. */
  readonly #underWay = new Map<MapSubscriber, number>();
  /** Nodes whose change waits for others. */
  readonly #waiting = new Set<string>();
  #toldUnixMs = -Infinity;
  #rev: number;
  /** Revisions before this one are answered with a full map. */
  #oldestRev: number;

  /**
   * @param firstRev Greater than all revisions of earlier runs, such as the time.
   * @param onWaiting Called when something begins to wait: `tend` is to be called in `tendsInMs`, and again while that says so.
   */
  constructor(source: MapSource, firstRev: number, onWaiting: () => void = () => {}) {
    this.#source = source;
    this.#onWaiting = onWaiting;
    this.#rev = firstRev;
    this.#oldestRev = firstRev;
  }

  get rev(): number {
    return this.#rev;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  get subscribers(): Iterable<MapSubscriber> {
    return this.#subscribers;
  }

  /** @param knownRev The revision that the agent has. */
  subscribe(subscriber: MapSubscriber, knownRev: number | undefined, unixMs: number): void {
    const isKnown = knownRev !== undefined && knownRev >= this.#oldestRev && knownRev <= this.#rev;
    this.#subscribers.add(subscriber);
    if (isKnown) this.#send(subscriber, JSON.stringify(this.#since(subscriber.node, knownRev, unixMs)));
    else this.#wantFull(subscriber, unixMs);
  }

  unsubscribe(subscriber: MapSubscriber, unixMs: number): void {
    this.#subscribers.delete(subscriber);
    this.#wantsFull.delete(subscriber);
    this.acknowledged(subscriber, unixMs);
  }

  /** Milliseconds until `tend` is to be called; `undefined`: nothing waits. */
  tendsInMs(unixMs: number): number | undefined {
    if (this.#waiting.size > 0) return Math.max(0, this.#togetherMs - this.#sinceToldMs(unixMs));
    return this.#wantsFull.size > 0 ? LOOK_MS : undefined;
  }

  /** Sends what has waited for long enough. */
  tend(unixMs: number): void {
    if (this.#waiting.size > 0 && this.#sinceToldMs(unixMs) >= this.#togetherMs) this.#tellWaiting(unixMs);
    this.#sendFull(unixMs);
  }

  /** The agent has taken a map in, so that another one may have its turn. */
  acknowledged(subscriber: MapSubscriber, unixMs: number): void {
    if (this.#underWay.delete(subscriber)) this.#sendFull(unixMs);
  }

  /**
   * Takes nodes that may have changed, and tells those who see them.
   *
   * @param ids Those that are gone as well.
   */
  changed(ids: readonly string[], unixMs: number): void {
    for (const id of ids) this.#waiting.add(id);
    const isGone = ids.some((id) => this.#entries.has(id) && this.#source.entryOf(id) === undefined);
    if (isGone || this.#sinceToldMs(unixMs) >= this.#togetherMs) this.#tellWaiting(unixMs);
    else this.#onWaiting();
  }

  /** Rules or switches have changed, so that anyone may see anyone else: everyone gets a full map. */
  changedForAll(ids: readonly string[], unixMs: number): void {
    const rev = this.#rev + 1;
    this.#waiting.clear();
    for (const id of ids) this.#refresh(id, [], []);
    for (const id of [...this.#entries.keys()]) if (!ids.includes(id)) this.#entries.delete(id);
    this.#rev = rev;
    this.#oldestRev = rev;
    this.#changes.length = 0;
    for (const subscriber of this.#subscribers) this.#wantFull(subscriber, unixMs);
  }

  /** Sends everything to one node, which could see nothing before. */
  sendFull(node: string, unixMs: number): void {
    for (const subscriber of this.#subscribers) if (subscriber.node === node) this.#wantFull(subscriber, unixMs);
  }

  #wantFull(subscriber: MapSubscriber, unixMs: number): void {
    const isFirst = this.#wantsFull.size === 0;
    this.#wantsFull.add(subscriber);
    this.#sendFull(unixMs);
    if (isFirst && this.#wantsFull.size > 0) this.#onWaiting();
  }

  #sendFull(unixMs: number): void {
    for (const [subscriber, sinceUnixMs] of this.#underWay)
      if (unixMs - sinceUnixMs >= ACKNOWLEDGED_MS) this.#underWay.delete(subscriber);
    for (const subscriber of this.#wantsFull) {
      if (this.#underWay.size >= FULL_AT_ONCE) return;
      this.#wantsFull.delete(subscriber);
      this.#underWay.set(subscriber, unixMs);
      this.#send(subscriber, this.#full(subscriber.node, unixMs));
    }
  }

  /** Everything that a node sees. */
  #full(node: string, unixMs: number): string {
    const seen = this.#source.neighbours(node).flatMap((id) => (id === node ? [] : (this.#entries.get(id) ?? [])));
    const extras = this.#source.extrasOf(node);
    return withEntries({ type: 'map', rev: this.#rev, full: true, del: [], ...extras, unixMs }, seen);
  }

  /** The clock of the system may be set back meanwhile: then nothing waits. */
  #sinceToldMs(unixMs: number): number {
    const sinceMs = unixMs - this.#toldUnixMs;
    return sinceMs >= 0 ? sinceMs : Infinity;
  }

  get #togetherMs(): number {
    return Math.max(TOGETHER_MS, TOGETHER_MS_PER_AGENT * this.#subscribers.size);
  }

  #tellWaiting(unixMs: number): void {
    const put: Published[] = [];
    const del: string[] = [];
    for (const id of this.#waiting) this.#refresh(id, put, del);
    this.#waiting.clear();
    if (put.length === 0 && del.length === 0) return;
    const rev = ++this.#rev;
    this.#toldUnixMs = unixMs;
    for (const { entry } of put) this.#changes.push({ id: entry.record.id, rev });
    for (const id of del) this.#changes.push({ id, rev });
    this.#trimChanges();
    this.#tell(put, del, unixMs);
  }

  /** Looks at what has changed since, and not at all that the node sees: after a restart everyone asks. */
  #since(node: string, rev: number, unixMs: number): MapMessage {
    const put: MapEntry[] = [];
    const del: string[] = [];
    for (const id of this.#changedSince(rev)) {
      const entry = this.#entries.get(id)?.entry;
      if (entry === undefined) {
        if (this.#source.saw(node, id)) del.push(id);
      } else if (id !== node && this.#source.sees(node, id)) put.push(entry);
    }
    return { type: 'map', rev: this.#rev, full: false, put, del, ...this.#source.extrasOf(node), unixMs };
  }

  #changedSince(rev: number): Set<string> {
    const ids = new Set<string>();
    for (let at = this.#changes.length - 1; at >= 0 && this.#changes[at]!.rev > rev; at--)
      ids.add(this.#changes[at]!.id);
    return ids;
  }

  #refresh(id: string, put: Published[], del: string[]): void {
    const entry = this.#source.entryOf(id);
    const known = this.#entries.get(id);
    if (entry === undefined) {
      if (this.#entries.delete(id)) del.push(id);
      return;
    }
    const text = JSON.stringify(entry);
    if (known?.text === text) return;
    const published = { entry, text };
    this.#entries.set(id, published);
    put.push(published);
  }

  /** Agents that see the same of a change get the same text. */
  #tell(put: readonly Published[], gone: readonly string[], unixMs: number): void {
    const texts = new Map<string, string>();
    for (const subscriber of this.#subscribers) {
      if (this.#wantsFull.has(subscriber)) continue;
      const { node } = subscriber;
      const seen = put.filter(({ entry: { record } }) => record.id !== node && this.#source.sees(node, record.id));
      const del = gone.filter((id) => this.#source.saw(node, id));
      const isSelf = put.some(({ entry: { record } }) => record.id === node);
      if (seen.length === 0 && del.length === 0 && !isSelf) continue;
      const name = isSelf ? `self ${node}` : [...seen.map(({ entry: { record } }) => record.id), '-', ...del].join();
      const text = texts.get(name) ?? this.#delta(seen, del, isSelf ? this.#source.extrasOf(node) : {}, unixMs);
      texts.set(name, text);
      this.#send(subscriber, text);
    }
  }

  #delta(seen: readonly Published[], del: string[], extras: object, unixMs: number): string {
    return withEntries({ type: 'map', rev: this.#rev, full: false, del, unixMs, ...extras }, seen);
  }

  #send(subscriber: MapSubscriber, text: string): void {
    if (subscriber.send(text)) return;
    this.#subscribers.delete(subscriber);
    this.#underWay.delete(subscriber);
  }

  #trimChanges(): void {
    const extra = this.#changes.length - MAX_CHANGES;
    if (extra <= 0) return;
    this.#oldestRev = this.#changes[extra - 1]!.rev;
    this.#changes.splice(0, extra);
  }
}

/** Entries are JSON already, each once for all agents. */
function withEntries(head: Omit<MapMessage, 'put'>, entries: readonly Published[]): string {
  return `${JSON.stringify(head).slice(0, -1)},"put":[${entries.map(({ text }) => text).join(',')}]}`;
}

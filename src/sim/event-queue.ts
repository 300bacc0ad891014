/** Something that will happen at a set time, unless it is cancelled. */
export interface ScheduledEvent {
  readonly atMs: number;
  isCancelled: boolean;
}

interface QueuedEvent extends ScheduledEvent {
  readonly order: number;
  readonly run: () => void;
}

/**
 * Virtual time: a queue of future events, and a clock that stands still in between.
 *
 * The clock moves only by jumping to the next event. Events of the same millisecond run in the order in which
 * they were scheduled, so that every run is the same.
 */
export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #nowMs: number;
  #order = 0;

  /** @param startMs The reading of the monotonic clock at the start. An integer. */
  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The time of the next event, or `Infinity`. */
  get nextEventMs(): number {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return Infinity;
      if (!first.isCancelled) return first.atMs;
      this.#takeFirst();
    }
  }

  /** @param atMs An integer; events in the past run next. */
  schedule(atMs: number, run: () => void): ScheduledEvent {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run, isCancelled: false };
    this.#heap.push(event);
    this.#siftUp(this.#heap.length - 1);
    return event;
  }

  /** Runs everything that is due up to and including `endMs`, and leaves the clock there. */
  runUntil(endMs: number): void {
    while (this.nextEventMs <= endMs) this.runNext();
    this.#nowMs = endMs;
  }

  /** Jumps to the next event and runs it. @returns `false` if no events are left. */
  runNext(): boolean {
    if (this.nextEventMs === Infinity) return false;
    const event = this.#takeFirst();
    this.#nowMs = event.atMs;
    event.run();
    return true;
  }

  #takeFirst(): QueuedEvent {
    const first = this.#heap[0]!;
    const last = this.#heap.pop()!;
    if (last !== first) {
      this.#heap[0] = last;
      this.#siftDown();
    }
    return first;
  }

  #siftUp(at: number): void {
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  #siftDown(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const child = left + 1 < this.#heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(child, at)) return;
      this.#swap(child, at);
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#heap[a]!;
    const second = this.#heap[b]!;
    return first.atMs < second.atMs || (first.atMs === second.atMs && first.order < second.order);
  }

  #swap(a: number, b: number): void {
    const event = this.#heap[a]!;
    this.#heap[a] = this.#heap[b]!;
    this.#heap[b] = event;
  }
}

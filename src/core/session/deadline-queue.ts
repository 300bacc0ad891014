/** Something that falls due. Both fields belong to the queue of the entry. */
export interface Scheduled {
  /** The time by which the queue sorts the entry, or `Infinity` while it is in no queue. */
  queuedAt: number;
  queuePosition: number;
  /** The actual deadline. May be later than `queuedAt`; a caller that moves it earlier must notify the queue. */
  nextDeadline(): number;
}

/**
 * The earliest of many deadlines: a binary heap that is notified only when a deadline moves earlier.
 *
 * Deadlines move later with nearly every packet. The queue ignores this until such an entry comes to
 * the top and is then sorted again. A packet therefore costs no work here, and the announced deadline
 * is nevertheless exact.
 */
export class DeadlineQueue<Entry extends Scheduled> {
  readonly #heap: Entry[] = [];

  /** Notes that `entry` falls due at `atMs`, earlier than was known. */
  moveEarlier(entry: Entry, atMs: number): void {
    if (entry.queuedAt === NEVER) {
      entry.queuePosition = this.#heap.length;
      this.#heap.push(entry);
    }
    entry.queuedAt = atMs;
    this.#siftUp(entry);
  }

  remove(entry: Entry): void {
    if (entry.queuedAt === NEVER) return;
    const last = this.#heap.pop()!;
    entry.queuedAt = NEVER;
    if (last === entry) return;
    this.#place(last, entry.queuePosition);
    this.#siftUp(last);
    this.#siftDown(last);
  }

  /** The entry that falls due first, or `undefined` when none ever does. */
  first(): Entry | undefined {
    for (;;) {
      const entry = this.#heap[0];
      if (entry === undefined) return undefined;
      const deadline = entry.nextDeadline();
      if (deadline <= entry.queuedAt) return entry;
      if (deadline === NEVER) this.remove(entry);
      else {
        entry.queuedAt = deadline;
        this.#siftDown(entry);
      }
    }
  }

  nextDeadline(): number {
    return this.first()?.queuedAt ?? NEVER;
  }

  #siftUp(entry: Entry): void {
    while (entry.queuePosition > 0) {
      const position = entry.queuePosition;
      const parent = this.#heap[(position - 1) >> 1];
      if (parent.queuedAt <= entry.queuedAt) return;
      this.#place(entry, (position - 1) >> 1);
      this.#place(parent, position);
    }
  }

  #siftDown(entry: Entry): void {
    for (;;) {
      const position = entry.queuePosition;
      const left = this.#heap[2 * position + 1];
      const right = this.#heap[2 * position + 2];
      const child = right !== undefined && right.queuedAt < left.queuedAt ? right : left;
      if (child === undefined || child.queuedAt >= entry.queuedAt) return;
      this.#place(entry, child.queuePosition);
      this.#place(child, position);
    }
  }

  #place(entry: Entry, position: number): void {
    this.#heap[position] = entry;
    entry.queuePosition = position;
  }
}

const NEVER = Infinity;

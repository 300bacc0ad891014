/** Events that are kept for a slow reader; beyond this number the oldest events are dropped. */
const MAX_WAITING_EVENTS = 4_096;

/** Hands events to any number of readers, each of which reads at its own pace with `for await`. */
export class EventFeed<Event> implements AsyncIterable<Event> {
  readonly #readers = new Set<EventReader<Event>>();
  #isClosed = false;

  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  /** Starts reading with the next event. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    const reader = new EventReader<Event>(() => this.#readers.delete(reader));
    if (this.#isClosed) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  publish(events: readonly Event[]): void {
    for (const reader of this.#readers) for (const event of events) reader.push(event);
  }

  /** Ends all readers once they have read the published events. */
  close(): void {
    this.#isClosed = true;
    for (const reader of this.#readers) reader.end();
  }
}

class EventReader<Event> implements AsyncIterator<Event, undefined> {
  readonly #onReturn: () => void;
  #waiting: Event[] = [];
  #wake: () => void = () => {};
  #isEnded = false;

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  push(event: Event): void {
    this.#waiting.push(event);
    if (this.#waiting.length > 2 * MAX_WAITING_EVENTS) this.#waiting = this.#waiting.slice(-MAX_WAITING_EVENTS);
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    while (this.#waiting.length === 0 && !this.#isEnded)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const [event] = this.#waiting.splice(0, 1);
    return event === undefined ? { done: true, value: undefined } : { done: false, value: event };
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.#onReturn();
    this.#waiting = [];
    this.end();
    return { done: true, value: undefined };
  }
}

import type { GatewayEvent } from '../gateway-service.js';

/** Events that wait for one reader. A reader that falls behind loses the oldest, and asks for everything anew. */
const MAX_WAITING = 1_024;

interface Reader {
  readonly waiting: GatewayEvent[];
  wake: () => void;
}

/** Hands events of a gateway to any number of readers. */
export class EventHub {
  readonly #readers = new Set<Reader>();

  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  publish(event: GatewayEvent): void {
    for (const reader of this.#readers) {
      reader.waiting.push(event);
      if (reader.waiting.length > MAX_WAITING) reader.waiting.shift();
      reader.wake();
    }
  }

  async *read(signal: AbortSignal): AsyncGenerator<GatewayEvent> {
    const reader: Reader = { waiting: [], wake: () => {} };
    const wake = (): void => reader.wake();
    this.#readers.add(reader);
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        yield* reader.waiting.splice(0);
        if (reader.waiting.length > 0 || signal.aborted) continue;
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
      }
    } finally {
      this.#readers.delete(reader);
      signal.removeEventListener('abort', wake);
    }
  }
}

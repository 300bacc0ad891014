/** The timer behind `socket.setTimeout`: it calls once when nothing has happened for a while, and starts again with every event. */
export class IdleTimer {
  readonly #onIdle: () => void;
  #timeoutMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  /** @param timeoutMs 0: never. */
  set(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.restart();
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#timeoutMs > 0) this.#timer = setTimeout(this.#onIdle, this.#timeoutMs).unref();
  }

  stop(): void {
    this.#timeoutMs = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

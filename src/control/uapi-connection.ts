import type { Socket } from 'node:net';

/** A client that has not read its answer by then is disconnected: other clients wait for their turn. */
const ANSWER_LIMIT_MS = 10_000;
/** A client that is silent for this long is disconnected: descriptors are scarce. */
const IDLE_LIMIT_MS = 60_000;

export interface UapiConnectionLimits {
  readonly answerMs?: number;
  readonly idleMs?: number;
}

/** One client of the control socket. Answers wait for a slow reader, with limits on memory and time. */
export class UapiConnection {
  readonly #socket: Socket;
  readonly #answerLimitMs: number;
  #lastActiveMs = performance.now();

  /** @param socket Opened with `allowHalfOpen`. */
  constructor(socket: Socket, { answerMs = ANSWER_LIMIT_MS, idleMs = IDLE_LIMIT_MS }: UapiConnectionLimits = {}) {
    this.#socket = socket;
    this.#answerLimitMs = answerMs;
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => {}); // the reading end of `chunks` sees the error
  }

  /** The time of the client's last bytes, by `performance.now()`. */
  get lastActiveMs(): number {
    return this.#lastActiveMs;
  }

  /** Yields the client's bytes until the client sends no more. The caller clears each chunk. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    const chunks: AsyncIterable<Buffer> = this.#socket.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) {
      this.#lastActiveMs = performance.now();
      yield chunk;
    }
  }

  /** Writes an answer with back-pressure. Clears every chunk. */
  async write(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const limit = setTimeout(() => this.#socket.destroy(), this.#answerLimitMs);
    try {
      for await (const chunk of chunks) if (!(await this.#writeChunk(chunk))) return;
    } finally {
      clearTimeout(limit);
    }
  }

  async writeText(text: string): Promise<void> {
    await this.write([Buffer.from(text, 'latin1')]);
  }

  /** Tests whether the client still reads: writing nothing fails with EPIPE where the other end is closed. */
  canHear(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#socket.write(new Uint8Array(0), (error) => resolve(error === undefined || error === null));
    });
  }

  /** Ends the connection once everything is written, even if some received bytes were not read. */
  end(): void {
    this.#socket.end(() => this.#socket.destroy());
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  onClosed(callback: () => void): void {
    if (this.#socket.closed) callback();
    else this.#socket.once('close', callback);
  }

  /** @returns Whether the client may accept more. */
  async #writeChunk(chunk: Buffer): Promise<boolean> {
    if (this.#socket.destroyed) chunk.fill(0);
    else if (!this.#socket.write(chunk, () => chunk.fill(0))) await this.#drained();
    return !this.#socket.destroyed;
  }

  #drained(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      const settle = () => {
        socket.off('drain', settle);
        socket.off('close', settle);
        resolve();
      };
      socket.on('drain', settle);
      socket.on('close', settle);
    });
  }
}

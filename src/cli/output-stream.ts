import type { Writable } from 'node:stream';
import { encodeText } from '../control/byte-text.js';

/** Errors that mean that the reader is gone: a closed pipe, a terminal that hung up, a socket that was cut. */
const READER_GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO', 'ECONNRESET']);

/**
 * Standard output or standard error. The first error is remembered; later writes are dropped.
 *
 * The stream is opened by the first write, since opening it takes time that a silent command need not spend.
 */
export class OutputStream {
  readonly #open: () => Writable;
  #stream: Writable | undefined;
  #failure: NodeJS.ErrnoException | undefined;
  /** Called once, by the first error. */
  onFailure: (error: Error) => void = () => {};

  constructor(open: () => Writable) {
    this.#open = open;
  }

  get isFailed(): boolean {
    return this.#failure !== undefined;
  }

  get hasReader(): boolean {
    return this.#failure === undefined || !READER_GONE.has(this.#failure.code);
  }

  /** Returns the bytes in memory that the reader has not yet read. */
  get unreadBytes(): number {
    return this.#stream?.writableLength ?? 0;
  }

  /** @param text May hold bytes of a configuration file that are not UTF-8. */
  write(text: string): void {
    if (this.isFailed) return;
    this.#stream ??= this.#open().on('error', (error) => this.#fail(error));
    this.#stream.write(encodeText(text));
  }

  /** Writes, and returns whether the system has taken all of it. */
  async deliver(text: string): Promise<boolean> {
    this.write(text);
    const stream = this.#stream;
    if (stream !== undefined && !this.isFailed) await new Promise((resolve) => stream.write('', resolve));
    return !this.isFailed;
  }

  #fail(error: Error): void {
    if (this.isFailed) return;
    this.#failure = error;
    this.onFailure(error);
  }
}

export const standardOutput = new OutputStream(() => process.stdout);
export const standardError = new OutputStream(() => process.stderr);

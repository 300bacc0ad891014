import { KEY_HEX_BYTES, writeHexKey } from './key-hex.js';

/** No value of the protocol is longer. */
const MAX_VALUE_BYTES = 1_024;

/**
 * Collects `key=value` lines of the configuration protocol into chunks of bytes.
 *
 * Bytes, because they hold secret keys: whoever takes a chunk clears it after use.
 */
export class UapiWriter {
  readonly #chunkBytes: number;
  #chunk: Buffer;
  #length = 0;

  constructor(chunkBytes = 64 * 1_024) {
    this.#chunkBytes = chunkBytes;
    this.#chunk = Buffer.allocUnsafeSlow(chunkBytes);
  }

  /** The chunk is nearly full and must be taken before the next line. */
  get isFull(): boolean {
    return this.#length + MAX_VALUE_BYTES > this.#chunkBytes;
  }

  /** @param value ASCII. */
  line(key: string, value: string | number): void {
    this.text(`${key}=${value}\n`);
  }

  keyLine(key: string, value: Uint8Array): void {
    this.text(`${key}=`);
    this.#reserve(KEY_HEX_BYTES);
    this.#length = writeHexKey(value, this.#chunk, this.#length);
    this.text('\n');
  }

  text(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#chunk.write(text, this.#length, 'latin1');
  }

  /** Returns the bytes written so far, and starts a new chunk. */
  take(): Buffer {
    const chunk = this.#chunk.subarray(0, this.#length);
    this.#chunk = Buffer.allocUnsafeSlow(this.#chunkBytes);
    this.#length = 0;
    return chunk;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#chunk.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * this.#chunk.length + bytes);
    this.#chunk.copy(larger, 0, 0, this.#length);
    this.#chunk.fill(0);
    this.#chunk = larger;
  }
}

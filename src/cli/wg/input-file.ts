import { closeSync, openSync, readSync } from 'node:fs';
import { decodeBytes, encodeText } from '../../control/byte-text.js';
import { toSystemFailure } from './device-access.js';
import { systemMessage } from './system-errors.js';
import { WgFailure } from './wg-context.js';

const CHUNK_BYTES = 64 * 1_024;
const NEWLINE = 0x0a;

/** A file that a command reads. Its contents may be endless, such as those of /dev/urandom. */
export class InputFile {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Opens a file, which the caller closes. @throws {WgFailure} `fopen: ` and the system's words. */
  static open(path: string): InputFile {
    try {
      return new InputFile(openSync(encodeText(path), 'r'));
    } catch (error) {
      const { errno } = toSystemFailure(error);
      throw new WgFailure(`fopen: ${systemMessage(errno)}`);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Returns whether the file is seekable, unlike pipes and terminals. */
  get canSeek(): boolean {
    try {
      readSync(this.#descriptor, new Uint8Array(1), 0, 1, 0);
      return true;
    } catch (error) {
      toSystemFailure(error);
      return false;
    }
  }

  /** Reads at most `maxBytes`. A directory can be opened, but has no bytes. @returns Bytes that the caller owns. */
  read(maxBytes: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(maxBytes);
    let length = 0;
    while (length < maxBytes) {
      const count = this.#readInto(bytes, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  }

  /** Reads line by line, so that an endless file ends with its first line that is wrong. */
  *lines(): Generator<string, void, undefined> {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let rest = Buffer.alloc(0);
    for (let count = this.#readInto(chunk, 0); count > 0; count = this.#readInto(chunk, 0)) {
      let bytes = Buffer.concat([rest, chunk.subarray(0, count)]);
      rest.fill(0);
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
        yield decodeBytes(bytes.subarray(0, end));
        bytes = bytes.subarray(end + 1);
      }
      rest = bytes;
    }
    chunk.fill(0);
    if (rest.length > 0) yield decodeBytes(rest);
    rest.fill(0);
  }

  #readInto(bytes: Buffer, at: number): number {
    try {
      return readSync(this.#descriptor, bytes, at, bytes.length - at, null);
    } catch (error) {
      toSystemFailure(error);
      return 0;
    }
  }
}

import { fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Folders that the system keeps in memory; the second one is on disk on few machines only. */
const FOLDERS = ['/dev/shm', '/run'];
/** The place and the length of the valid text: two 32-bit numbers. */
const HEADER_BYTES = 8;

/**
 * The configuration of a tunnel as it was last applied, in a file without a name: it lives as long as some process holds
 * its descriptor open, which a supervisor does while the daemon is away.
 *
 * ```text
 * | offset | length | … old text, or free … | text | …
 * ```
 *
 * A process may be killed at any moment. So a new text is written beside the old one, and becomes valid once the
 * header, written in one call, points to the new text. The old text is overwritten, since it holds keys.
 */
export class SavedState {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Makes the file. @returns Its descriptor, which the caller closes. @throws {Error} The system's own error. */
  static create(): number {
    for (const [i, folder] of FOLDERS.entries()) {
      try {
        return openNameless(folder);
      } catch (error) {
        if (i === FOLDERS.length - 1) throw error;
      }
    }
    throw new RangeError('no folder to save the state in');
  }

  /** Returns whether a daemon was ready once. */
  get isWritten(): boolean {
    return this.#readHeader().length > 0;
  }

  /** @returns The text as it was last written; `undefined` if there is none. The caller clears the text. */
  read(): Buffer | undefined {
    const { offset, length } = this.#readHeader();
    if (length === 0) return undefined;
    const text = Buffer.alloc(length);
    for (let at = 0; at < length; ) at += readSync(this.#descriptor, text, at, length - at, offset + at);
    return text;
  }

  write(text: Uint8Array): void {
    const old = this.#readHeader();
    const fitsBefore = old.length === 0 || HEADER_BYTES + text.length <= old.offset;
    const offset = fitsBefore ? HEADER_BYTES : old.offset + old.length;
    writeAll(this.#descriptor, text, offset);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(offset, 0);
    header.writeUInt32LE(text.length, 4);
    writeAll(this.#descriptor, header, 0);
    writeAll(this.#descriptor, new Uint8Array(old.length), old.offset);
  }

  #readHeader(): { readonly offset: number; readonly length: number } {
    const header = Buffer.alloc(HEADER_BYTES);
    const isThere = fstatSync(this.#descriptor).size >= HEADER_BYTES;
    if (isThere) readSync(this.#descriptor, header, 0, HEADER_BYTES, 0);
    return { offset: header.readUInt32LE(0), length: header.readUInt32LE(4) };
  }
}

function openNameless(parent: string): number {
  const folder = mkdtempSync(join(parent, 'wiretype-'));
  try {
    return openSync(join(folder, 'state'), 'wx+', 0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, position + at);
}

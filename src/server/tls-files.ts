import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';

import { WireGuardError } from '../core/errors.js';

/** Tools that renew a certificate write two files, one after the other. */
const SETTLE_MS = 500;

/** Paths of a certificate with its chain, and of its key, both PEM. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
}

/** A certificate with its key, read again when the files change. */
export class TlsFiles {
  readonly #paths: TlsPaths;
  readonly #watchers: FSWatcher[];
  #timer: NodeJS.Timeout | undefined;

  /** @param onChange Called when the files have changed. */
  constructor(paths: TlsPaths, onChange: () => void) {
    this.#paths = paths;
    // Files are replaced by renaming, so the folders are watched.
    const folders = new Set([dirname(paths.cert), dirname(paths.key)]);
    this.#watchers = [...folders].map((folder) => watch(folder, { persistent: false }, () => this.#changed(onChange)));
  }

  /** @throws {WireGuardError} ERR_TLS_FILES: they cannot be read, or do not belong together. */
  static read({ cert, key }: TlsPaths): { readonly cert: Buffer; readonly key: Buffer } {
    try {
      const files = { cert: readFileSync(cert), key: readFileSync(key) };
      createSecureContext(files);
      return files;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : '';
      throw new WireGuardError('ERR_TLS_FILES', `${cert} and ${key} cannot be used: ${why}`, { cause });
    }
  }

  read(): { readonly cert: Buffer; readonly key: Buffer } {
    return TlsFiles.read(this.#paths);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #changed(onChange: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onChange, SETTLE_MS).unref();
  }
}

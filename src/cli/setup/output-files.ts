import { randomBytes } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';

import { writeConfigFile } from '../../control/config/config-file.js';
import { WireGuardError } from '../../core/errors.js';

/** A file that a command hands to the user. */
export interface Output {
  readonly path: string;
  readonly contents: string | Uint8Array;
}

/** The rules for replacing files. */
export interface OutputRules {
  readonly mayReplace: boolean;
  /** A file that must not be replaced in any case. */
  readonly protectedFile: string;
}

interface Written {
  readonly path: string;
  /** Where the contents are until `publish`; the same as `path` for a file that did not exist. */
  readonly draft: string;
}

/**
 * Files that hold the only copy of a key.
 *
 * The files are complete before a command changes anything else, so that no later failure loses the key.
 */
export class OutputFiles {
  readonly #written: Written[] = [];

  private constructor() {}

  /**
   * Writes all files, readable by their owner only. A new file gets its name at once; a replacement is a draft beside
   * the old file until `publish`.
   *
   * @throws {WireGuardError} ERR_FILE_EXISTS, ERR_CONFIG_FILE; no file is left then.
   */
  static async write(outputs: readonly Output[], rules: OutputRules): Promise<OutputFiles> {
    const files = new OutputFiles();
    try {
      for (const output of outputs) await files.#write(output, rules);
      return files;
    } catch (error) {
      await files.discard();
      throw error;
    }
  }

  /** Replaces old files by their drafts. */
  async publish(): Promise<void> {
    for (const { path, draft } of this.#written) {
      if (draft !== path) await rename(draft, path);
    }
  }

  /** Removes the written files and drafts. */
  async discard(): Promise<void> {
    for (const { draft } of this.#written.splice(0)) await rm(draft, { force: true });
  }

  async #write({ path, contents }: Output, { mayReplace, protectedFile }: OutputRules): Promise<void> {
    const old = mayReplace ? resolveFile(path, protectedFile) : undefined;
    if (this.#written.some((written) => written.path === (old ?? path))) {
      throw new WireGuardError('ERR_USAGE', `${path}: two outputs cannot be one file`);
    }
    const draft = old === undefined ? path : `${old}.${randomBytes(6).toString('hex')}.draft`;
    await writeNew(draft, contents);
    this.#written.push({ path: old ?? path, draft });
  }
}

/** @returns The existing file behind symbolic links; `undefined` if there is none. */
function resolveFile(path: string, protectedFile: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new WireGuardError('ERR_CONFIG_FILE', `${path}: not a file`);
  const file = realpathSync(path);
  if (file !== realpathSync(protectedFile)) return file;
  throw new WireGuardError('ERR_USAGE', `${path} is the file of the server, which no output may replace`);
}

async function writeNew(path: string, contents: string | Uint8Array): Promise<void> {
  try {
    await writeConfigFile(path, contents, { isNew: true, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof WireGuardError) || !isExisting(error.cause)) throw error;
    throw new WireGuardError('ERR_FILE_EXISTS', `${path} exists; --force replaces it`, { cause: error });
  }
}

/** Tests whether a file is in the way; a symbolic link, which is not followed, causes ELOOP. */
function isExisting(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'EEXIST' || cause.code === 'ELOOP');
}

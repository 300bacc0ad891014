import { statSync } from 'node:fs';

import { type ConfigDocument, readConfigFile, writeConfigFile } from '../../control/config/index.js';
import { removeDrafts } from '../../control/config/replace-file.js';
import { WireGuardError } from '../../core/errors.js';
import { FileLock } from '../../host/net/file-lock.js';

/** The right to write a configuration file, for as long as the work on it lasts. */
export interface ConfigFileWriter {
  readonly path: string;
  /**
   * Replaces the text of the file. May be called again, to restore the old text.
   *
   * @throws {WireGuardError} ERR_CONFIG_FILE; the file is unchanged then.
   */
  write(text: string): Promise<void>;
}

/**
 * Reads and changes a configuration file, while no other command of ours can change it.
 *
 * Everything that reads, decides and writes must happen inside `change`, the change of the running interface included:
 * the next command then sees a peer that this one adds. Commands that a hook of the holder runs are let in.
 *
 * @param path The path of the file, with symbolic links resolved.
 * @param change Receives the current document, which has not been checked for errors.
 * @throws {WireGuardError} ERR_ANOTHER_AT_WORK if another command holds the file for a minute, ERR_CONFIG_FILE, and the
 * errors of `change`.
 */
export async function changeConfigFile<T>(
  path: string,
  change: (document: ConfigDocument, file: ConfigFileWriter) => Promise<T>,
): Promise<T> {
  return await holdConfigFile(path, async (file) => await change(await readConfigFile(path), file));
}

/** Works like `changeConfigFile`, for work that reads the file in its own way. */
export async function holdConfigFile<T>(path: string, work: (file: ConfigFileWriter) => Promise<T>): Promise<T> {
  const locks = [await lockConfigFile(path)];
  const file: ConfigFileWriter = {
    path,
    async write(text) {
      // The new file is locked before it gets its name, so that no other command gets in between two writes.
      await writeConfigFile(path, text, {
        onDraft: async (draft) => void locks.push((await FileLock.tryAcquire(draft)) ?? tooMany(path)),
      });
    },
  };
  try {
    await removeDrafts(path);
    return await work(file);
  } finally {
    for (const lock of locks) lock?.release();
  }
}

/** Locks a file, which may be replaced during the wait. Pipes are read once and have no lock. */
async function lockConfigFile(path: string): Promise<FileLock | undefined> {
  while (statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
    const lock = (await FileLock.acquire(path)) ?? tooMany(path);
    if (lock.isOf(path)) return lock;
    lock.release();
  }
  return undefined;
}

function tooMany(path: string): never {
  throw new WireGuardError('ERR_ANOTHER_AT_WORK', `another command is at work on ${path}`);
}

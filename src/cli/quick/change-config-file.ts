import { statSync } from 'node:fs';

import { type ConfigDocument, readConfigFile, writeConfigFile } from '../../control/config/index.js';
import { removeDrafts } from '../../control/config/replace-file.js';
import { WireGuardError } from '../../core/errors.js';
import { FileLock } from '../../host/net/file-lock.js';

/** The right to write a configuration file, for as long as the work on it lasts. */
export interface ConfigFileWriter {
  readonly path: string;
  /**
   * Puts a new text in place of the file. May be called again, to put back the old text.
   *
   * @throws {WireGuardError} ERR_CONFIG_FILE; the file is unchanged then.
   */
  write(text: string): Promise<void>;
}

/**
 * Reads a configuration file and changes it, while no other command of ours reads it to change it.
 *
 * Everything that reads, decides and writes has to happen inside `change`, the change of the running interface included:
 * a peer that one command adds is then seen by the next one. A command that a hook of the holder runs is let in.
 *
 * @param path The file itself, symbolic links followed.
 * @param change Gets the document as it is now. It has not been checked for errors.
 * @throws {WireGuardError} ERR_ANOTHER_AT_WORK if another command holds the file for a minute, ERR_CONFIG_FILE, and what
 *   `change` throws.
 */
export async function changeConfigFile<T>(
  path: string,
  change: (document: ConfigDocument, file: ConfigFileWriter) => Promise<T>,
): Promise<T> {
  return await holdConfigFile(path, async (file) => await change(await readConfigFile(path), file));
}

/** Does what `changeConfigFile` does for work that reads the file in its own way. */
export async function holdConfigFile<T>(path: string, work: (file: ConfigFileWriter) => Promise<T>): Promise<T> {
  const locks = [await lockConfigFile(path)];
  const file: ConfigFileWriter = {
    path,
    async write(text) {
      // The new file is locked before it gets its name, so that nobody gets in between two writes.
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

/** Locks a file that may be replaced while the lock is waited for. Pipes are read once and have no lock. */
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

import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { WireGuardError } from '../../core/errors.js';

/** Options for replacing a file. */
export interface ReplaceOptions {
  /** Permission bits; absent: the bits of the old file, 0600 for a new file. */
  readonly mode?: number | undefined;
  /** Receives the path of the new file before the new file gets its name. */
  readonly onDraft?: ((draft: string) => Promise<void>) | undefined;
}

const PRIVATE_MODE = 0o600;

/**
 * Replaces an old file by a new one in one step, and syncs it to the disk before it returns. Owner and mode of the old
 * file
 * stay.
 *
 * @throws The system's error. The old file is unchanged, and no draft stays behind.
 */
export async function replaceFile(file: string, text: Uint8Array, options: ReplaceOptions): Promise<void> {
  const old = await stat(file).catch(ignoreMissing);
  if (old?.isFile() === false) throw new WireGuardError('ERR_CONFIG_FILE', `${file}: cannot write: not a file`);

  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  await createFile(draft, text, options.mode ?? old?.mode ?? PRIVATE_MODE, old);
  try {
    await options.onDraft?.(draft);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}

/** Makes a new file. A file that could not be written to its end is removed again. */
export async function createFile(file: string, text: Uint8Array, mode = PRIVATE_MODE, owner?: Stats): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE_MODE);
  try {
    if (owner !== undefined && process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid);
    await handle.chmod(mode & 0o7777);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Removes the drafts of writers that were killed, since drafts hold private keys.
 *
 * The caller holds the file, so that a draft with the number of this process comes from a dead process.
 */
export async function removeDrafts(file: string): Promise<void> {
  const names = await readdir(path.dirname(file)).catch(() => []);
  for (const name of names) {
    const pid = draftWriter(name, path.basename(file));
    if (pid !== undefined && (pid === process.pid || !isAlive(pid))) {
      await rm(path.join(path.dirname(file), name), { force: true }).catch(() => {}); // the next writer tries again
    }
  }
}

/** @returns The process that wrote a draft of this file; `undefined` for any other file. */
function draftWriter(name: string, of: string): number | undefined {
  const rest = name.startsWith(`${of}.`) ? name.slice(of.length + 1) : '';
  const pid = /^([0-9]{1,10})(?:\.[0-9a-f]{12})?\.tmp$/.exec(rest)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** The name of a file survives a power cut only once its folder is on the disk. Some file systems refuse this. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  } finally {
    await handle?.close();
  }
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

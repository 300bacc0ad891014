import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { searchPathOf } from './commands.js';
import { isSystemError } from './system-error.js';

/** Long enough for another command to finish its work. */
const PATIENCE_MS = 60_000;
/** The descriptor of the locked file in the child that locks it. */
const CHILD_DESCRIPTOR = 3;
/** flock(1) -n: another process holds the lock. */
const TAKEN_STATUS = 1;

type Outcome = 'held' | 'taken' | 'unavailable';

/**
 * A lock between processes, which the kernel drops when its holder ends, however the holder ends.
 *
 * Node has no call for flock(2), so flock(1) locks a descriptor that it inherits. The lock belongs to the open file,
 * which this process keeps. A command that the holder has started, such as a command of a hook, borrows the lock, since
 * holder and command would otherwise wait for each other. A system without locks runs commands unlocked.
 *
 * Source: flock(2), flock(1) of util-linux and of BusyBox, proc_pid_fdinfo(5).
 */
export class FileLock {
  #descriptor: number | undefined;

  /** @param descriptor The locked file; `undefined` for a lock that is borrowed or unavailable. */
  private constructor(descriptor: number | undefined) {
    this.#descriptor = descriptor;
  }

  /**
   * Locks a file without waiting. A missing file is created, and so is its folder.
   *
   * @returns `undefined` if an unrelated process holds the lock.
   */
  static async tryAcquire(file: string): Promise<FileLock | undefined> {
    return await FileLock.acquire(file, 0);
  }

  /**
   * Locks a file, and waits while an unrelated process holds the lock.
   *
   * @returns `undefined` if the lock was not free in time.
   */
  static async acquire(file: string, patienceMs = PATIENCE_MS): Promise<FileLock | undefined> {
    const descriptor = openLockFile(file);
    if (descriptor === undefined) return new FileLock(undefined);

    let outcome = await lock(descriptor, 0);
    if (outcome === 'taken') {
      if (isHeldByAncestor(descriptor)) outcome = 'unavailable';
      else if (patienceMs > 0) outcome = await lock(descriptor, patienceMs);
    }
    if (outcome === 'held') return new FileLock(descriptor);
    closeSync(descriptor);
    return outcome === 'taken' ? undefined : new FileLock(undefined);
  }

  /** Returns whether the locked file still has this name: writers replace the old file by a new one. */
  isOf(file: string): boolean {
    return this.#descriptor === undefined || isSameFile(fstatSync(this.#descriptor), file);
  }

  /** Releases the lock. Does nothing the second time. */
  release(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** @returns `undefined` where the system refuses, as on a full or read-only disk. */
function openLockFile(file: string): number | undefined {
  try {
    if (statSync(file, { throwIfNoEntry: false }) !== undefined) return openSync(file, 'r');
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    return openSync(file, 'a', 0o600);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** @param patienceMs 0: does not wait. The child is ended at the limit, since BusyBox has no timeout. */
async function lock(descriptor: number, patienceMs: number): Promise<Outcome> {
  const options = patienceMs === 0 ? ['-n'] : [];
  // The child has its own session: Ctrl-C must not end the wait of a command that undoes its work.
  const child = spawn('flock', [...options, String(CHILD_DESCRIPTOR)], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
    detached: true,
    env: { ...process.env, PATH: searchPathOf(process.env) },
  });
  const limit = patienceMs === 0 ? undefined : setTimeout(() => child.kill(), patienceMs);
  return await new Promise<Outcome>((resolve) => {
    child.once('error', () => resolve('unavailable'));
    child.once('exit', (status, signal) => {
      if (status === 0) resolve('held');
      else resolve(signal !== null || (patienceMs === 0 && status === TAKEN_STATUS) ? 'taken' : 'unavailable');
    });
  }).finally(() => clearTimeout(limit));
}

/** Returns whether a process that this one descends from holds a lock on the same file. */
function isHeldByAncestor(descriptor: number): boolean {
  const { dev, ino } = fstatSync(descriptor);
  for (let pid = process.ppid; pid > 0; pid = parentOf(pid)) {
    for (const held of lockedDescriptors(pid)) if (isSameFile({ dev, ino }, `/proc/${pid}/fd/${held}`)) return true;
  }
  return false;
}

function parentOf(pid: number): number {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The name of the program stands in parentheses and may contain anything.
  return Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

/** Returns the descriptors on which a process holds locks of flock(2). */
function lockedDescriptors(pid: number): string[] {
  const folder = `/proc/${pid}/fdinfo`;
  const isLocked = (name: string) =>
    /^lock:.*\bFLOCK\b/m.test(attempt(() => readFileSync(`${folder}/${name}`, 'latin1')) ?? '');
  return (attempt(() => readdirSync(folder)) ?? []).filter(isLocked);
}

function isSameFile({ dev, ino }: { readonly dev: number; readonly ino: number }, file: string): boolean {
  const found = attempt(() => statSync(file));
  return found?.dev === dev && found.ino === ino;
}

/** @returns `undefined` where the system refuses: the process or the file is gone meanwhile. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

/** How long to wait for a lock that others hold for moments only. */
const PATIENCE_SECONDS = 60;

/**
 * A lock between processes, which the kernel drops when its holder ends, however it ends.
 *
 * Node has no call for flock(2): the lock is held by a child, which lives as long as its standard input is open.
 *
 * Source: flock(1).
 */
export class FileLock {
  readonly #holder: ChildProcess | undefined;

  private constructor(holder: ChildProcess | undefined) {
    this.#holder = holder;
  }

  /** @returns `undefined` if another process holds the lock. A system without flock(1) locks nothing. */
  static tryAcquire(file: string): Promise<FileLock | undefined> {
    return acquire(file, ['-n'], (holder) => new FileLock(holder));
  }

  /** Waits for the lock, a minute at most. @returns `undefined` after that. */
  static acquire(file: string): Promise<FileLock | undefined> {
    return acquire(file, ['-w', String(PATIENCE_SECONDS)], (holder) => new FileLock(holder));
  }

  async release(): Promise<void> {
    if (this.#holder === undefined || this.#holder.exitCode !== null) return;
    const ended = once(this.#holder, 'close');
    this.#holder.stdin?.end();
    await ended;
  }
}

async function acquire(
  file: string,
  options: readonly string[],
  make: (holder: ChildProcess | undefined) => FileLock,
): Promise<FileLock | undefined> {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // In a session of its own, so that Ctrl-C does not drop the lock before what it protects is undone.
  const holder = spawn('flock', [...options, file, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  holder.stdin.on('error', () => {}); // it ended: `close` tells
  holder.stdin.write('\n');
  const outcome = await Promise.race([
    once(holder.stdout, 'data').then(() => 'held' as const),
    once(holder, 'close').then(() => 'taken' as const),
    once(holder, 'error').then(() => 'missing' as const),
  ]);
  if (outcome === 'held') return make(holder);
  return outcome === 'missing' ? make(undefined) : undefined;
}

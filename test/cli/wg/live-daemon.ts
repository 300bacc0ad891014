import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { hasStockWg } from './run-wg.js';

const PATIENCE_MS = 60_000;

/** A daemon in namespaces of its own, with a directory of ours in the place of /var/run/wireguard. */
const FIRST = 'mkdir -p /run/wireguard && mount --bind "$0" /run/wireguard && exec "$1" -f "$2"';

/**
 * The value that stands for a daemon's path: the kernel makes the interfaces, in the network namespace of this process.
 */
export const KERNEL = 'kernel';

/** Whether this machine has what it takes to run a daemon and the stock `wg` beside it. */
export function canRunDaemon(program: string): boolean {
  if (program === KERNEL) return hasStockWg();
  const isThere = spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
  return hasStockWg() && isThere && existsSync('/dev/net/tun');
}

/** Real daemons, or interfaces of the kernel's, one for each name, in one network namespace. `close` ends them. */
export class LiveDaemons {
  /** The directory of the control sockets. */
  readonly directory: string;
  readonly #processes: ChildProcess[] = [];

  static async start(program: string, ...names: readonly string[]): Promise<LiveDaemons> {
    const daemons = new LiveDaemons();
    for (const name of names) await daemons.#make(program, name);
    for (const name of ['lo', ...names]) daemons.#inside('ip', 'link', 'set', name, 'up');
    return daemons;
  }

  readonly #links: string[] = [];

  private constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'wiretype-live-'));
  }

  async close(): Promise<void> {
    for (const name of this.#links) execFileSync('ip', ['link', 'delete', 'dev', name]);
    for (const daemon of this.#processes) {
      const exit = once(daemon, 'exit');
      daemon.kill();
      await exit;
    }
    rmSync(this.directory, { recursive: true });
  }

  async #make(program: string, name: string): Promise<void> {
    if (program !== KERNEL) return await this.#start(program, name);
    execFileSync('ip', ['link', 'add', 'dev', name, 'type', 'wireguard']);
    this.#links.push(name);
  }

  async #start(program: string, name: string): Promise<void> {
    const [command, ...words] =
      this.#processes.length === 0
        ? ['unshare', '-m', '-n', 'sh', '-c', FIRST, this.directory, program, name]
        : [...this.#enter(), program, '-f', name];
    const daemon = spawn(command!, words, { stdio: 'ignore' });
    this.#processes.push(daemon);
    await until(`${program} to start`, () => {
      if (daemon.exitCode !== null) throw new Error(`${program} ended with ${daemon.exitCode}`);
      return existsSync(join(this.directory, `${name}.sock`));
    });
  }

  #inside(...command: readonly string[]): void {
    const [program, ...words] = [...this.#enter(), ...command];
    execFileSync(program!, words);
  }

  /** The first daemon has taken the place of the shell that made the namespaces. */
  #enter(): string[] {
    if (this.#processes.length === 0) return ['env'];
    return ['nsenter', '-m', '-n', '-t', String(this.#processes[0]!.pid), '--'];
  }
}

/** Polls until the condition holds. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`waited too long for ${what}`);
    await sleep(20);
  }
}

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { wgMain } from '../../../src/cli/wg/wg-main.js';

/** The result of a run of a program. */
export interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The clock of ours, milliseconds since 1970. */
  readonly nowMs?: number;
}

/** Puts a directory in the place of /var/run/wireguard, for one process, in a mount namespace of its own. */
const WITH_SOCKETS = 'mkdir -p /run/wireguard && mount --bind "$0" /run/wireguard && exec "$@"';

/** Whether this is the virtual machine whose kernel has WireGuard: it has no daemons, and no interfaces that matter. */
export const IS_KERNEL_GUEST = process.env['WIRETYPE_KERNEL_GUEST'] !== undefined;

/** The fields that `wg show IF` can print. */
export const FIELDS = [
  'public-key',
  'private-key',
  'listen-port',
  'fwmark',
  'peers',
  'preshared-keys',
  'endpoints',
  'allowed-ips',
  'latest-handshakes',
  'transfer',
  'persistent-keepalive',
  'dump',
];

/** Whether this machine can run the stock `wg` against sockets of a test: it takes root and wireguard-tools. */
export function hasStockWg(): boolean {
  if (process.getuid?.() !== 0) return false;
  const version = spawnSync('unshare', ['-m', 'sh', '-c', 'exec wg --version'], { encoding: 'utf8' });
  return version.status === 0 && version.stdout.startsWith('wireguard-tools v1.0.');
}

/** Runs the stock `wg`, with a directory of sockets. */
export async function runStock(directory: string, argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program, ...before] = IS_KERNEL_GUEST ? ['wg'] : ['unshare', '-m', 'sh', '-c', WITH_SOCKETS, directory, 'wg'];
  const child = spawn(program!, [...before, ...argv], {
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', ...options.env },
  });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(options.input ?? '');
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status, out, err };
}

/** Runs ours as `wg`, in this process. */
export async function runOurs(directory: string, argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  let out = '';
  let err = '';
  const status = await wgMain(
    argv,
    {
      readInput: async () => options.input ?? '',
      write: (output) => {
        out += output;
      },
      writeError: (output) => {
        err += output;
      },
      columns: undefined,
      deliver: async () => true,
      interruption: () => new AbortController().signal,
    },
    {
      env: options.env ?? {},
      socketDirectory: directory,
      unixTimeMs: () => options.nowMs ?? 0,
      sleep: async () => {},
    },
  );
  return { status, out, err };
}

/** Runs something that reads the clock, again if a new second began meanwhile. */
export async function withoutTick(
  run: (nowMs: number) => Promise<Outcome>,
): Promise<{ outcome: Outcome; nowMs: number }> {
  for (;;) {
    const nowMs = Date.now();
    const outcome = await run(nowMs);
    if (Math.floor(Date.now() / 1_000) === Math.floor(nowMs / 1_000)) return { outcome, nowMs };
  }
}

/** A pipe with a name that can be read once, as the shell makes one of `<(…)`. */
export function pipeOf(directory: string, text: string): string {
  const pipe = join(directory, `pipe-${randomUUID()}`);
  execFileSync('mkfifo', ['-m', '600', pipe]);
  // The reader may block this process: nothing of the text waits in it.
  spawn('sh', ['-c', 'printf %s "$1" > "$0"', pipe, text], { stdio: 'ignore' });
  return pipe;
}

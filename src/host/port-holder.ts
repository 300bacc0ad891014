import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Finds the process that holds a UDP port, for an error message: `nginx (process 123)`.
 *
 * @returns `undefined` where the process cannot be seen: it belongs to another user or another container.
 *
 * Source: proc(5), /proc/net/udp.
 */
export function portHolder(port: number): string | undefined {
  const inodes = inodesOfPort(port);
  if (inodes.has('0')) return 'the kernel';
  if (inodes.size === 0) return undefined;

  for (const process of namesIn('/proc').filter((name) => /^[0-9]+$/.test(name)))
    if (holdsSocket(process, inodes)) return `${read(`/proc/${process}/comm`).trim()} (process ${process})`;
  return undefined;
}

function inodesOfPort(port: number): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = `${read('/proc/net/udp')}\n${read('/proc/net/udp6')}`
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return new Set(rows.filter((row) => row[1]?.endsWith(suffix)).map((row) => row[9] ?? ''));
}

function holdsSocket(process: string, inodes: ReadonlySet<string>): boolean {
  const directory = `/proc/${process}/fd`;
  return namesIn(directory).some((name) => inodes.has(socketInode(`${directory}/${name}`)));
}

/** @returns '' for a descriptor that is no socket, or is gone. */
function socketInode(path: string): string {
  return orEmpty(() => /^socket:\[([0-9]+)\]$/.exec(readlinkSync(path))?.[1] ?? '', '');
}

function namesIn(directory: string): readonly string[] {
  return orEmpty(() => readdirSync(directory), []);
}

function read(path: string): string {
  return orEmpty(() => readFileSync(path, 'latin1'), '');
}

/** Returns `empty` where `look` fails: processes and descriptors may disappear meanwhile or be inaccessible. */
function orEmpty<T>(look: () => T, empty: T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return empty;
    throw error;
  }
}

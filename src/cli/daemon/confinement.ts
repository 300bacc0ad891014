import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/** Capabilities for the interface and marks, for ports below 1024, for interfaces that move to another namespace. */
const CAPABILITIES = ['net_admin', 'net_bind_service', 'net_broadcast'];
/** The capability for files in the folder of a user, such as a checkout, which root cannot open otherwise. */
const READ_EVERYTHING = 'dac_read_search';
const SETPCAP = 8n;
const PROBE_TIMEOUT_MS = 10_000;

const READ = 4;
const ENTER = 1;

/**
 * Returns the words before a command that start it with the capabilities of a tunnel and no others.
 *
 * Capabilities belong to threads, and Node has several before our code runs. So the process that starts the daemon
 * drops them. Returns nothing where that is impossible: without `setpriv`, without the right to drop
 * capabilities (which a unit of systemd has already dropped), for users other than root.
 *
 * @param files The files that the daemon reads: its own program, and the file of the interface.
 */
export function confinement(files: readonly string[]): readonly string[] {
  if (process.geteuid?.() !== 0 || !canDropCapabilities()) return [];
  const kept = files.every(isOpenToRoot) ? CAPABILITIES : [...CAPABILITIES, READ_EVERYTHING];
  const words = ['setpriv', `--bounding-set=-all,${kept.map((name) => `+${name}`).join(',')}`, '--inh-caps=-all', '--'];
  const { status } = spawnSync(words[0]!, [...words.slice(1), 'true'], { stdio: 'ignore', timeout: PROBE_TIMEOUT_MS });
  return status === 0 ? words : [];
}

function canDropCapabilities(): boolean {
  try {
    const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    return ((BigInt(`0x${effective}`) >> SETPCAP) & 1n) === 1n;
  } catch {
    return false; // no /proc
  }
}

/** Tests whether root may read the file by owner, group or mode, without a capability. */
function isOpenToRoot(file: string): boolean {
  try {
    const real = realpathSync(file);
    if (!allowsRoot(real, READ)) return false;
    for (let folder = path.dirname(real); ; folder = path.dirname(folder)) {
      if (!allowsRoot(folder, ENTER)) return false;
      if (folder === path.dirname(folder)) return true;
    }
  } catch {
    return true; // a missing file needs no right
  }
}

function allowsRoot(file: string, right: number): boolean {
  const { uid, gid, mode } = statSync(file);
  if (uid === 0) return ((mode >> 6) & right) !== 0;
  return ((gid === 0 ? mode >> 3 : mode) & 7 & right) !== 0;
}

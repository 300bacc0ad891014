import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import type { Commands } from './commands.js';
import { isTrafficDiverted } from './default-route.js';
import { isSystemError } from './system-error.js';

const SRC_VALID_MARK = '/proc/sys/net/ipv4/conf/all/src_valid_mark';

/**
 * Makes the kernel's source validation of IPv4 packets (rp_filter) respect firewall marks.
 *
 * A system that refuses, as containers do, gets a warning only: without strict source validation
 * nothing depends on the setting.
 *
 * @param stateFolder The folder for the old value, which `restoreSourceValidation` needs.
 */
export function markSourceValidation(commands: Commands, stateFolder: string, file = SRC_VALID_MARK): void {
  try {
    const before = readFileSync(file, 'latin1').trim();
    if (before === '1') return;

    commands.echo(['sysctl', '-q', 'net.ipv4.conf.all.src_valid_mark=1']);
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    writeFileSync(keptIn(stateFolder), before);
    try {
      writeFileSync(file, '1');
    } catch (error) {
      rmSync(keptIn(stateFolder), { force: true }); // a change that was not made must not be undone
      throw error;
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    commands.warn(
      `net.ipv4.conf.all.src_valid_mark could not be set (${error.code}): where rp_filter is 1, answers are dropped`,
    );
  }
}

/** Restores the value that `markSourceValidation` found, once no tunnel diverts IPv4 traffic. */
export async function restoreSourceValidation(
  commands: Commands,
  stateFolder: string,
  file = SRC_VALID_MARK,
): Promise<void> {
  const before = readKept(stateFolder);
  if (before === undefined || (await isTrafficDiverted(commands, 4))) return;

  commands.echo(['sysctl', '-q', `net.ipv4.conf.all.src_valid_mark=${before}`]);
  rmSync(keptIn(stateFolder));
  try {
    writeFileSync(file, before);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    commands.warn(`net.ipv4.conf.all.src_valid_mark could not be set back to ${before} (${error.code})`);
  }
}

function readKept(stateFolder: string): string | undefined {
  try {
    return readFileSync(keptIn(stateFolder), 'latin1');
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function keptIn(stateFolder: string): string {
  return path.join(stateFolder, 'src_valid_mark');
}

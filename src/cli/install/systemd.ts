import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Commands } from '../../host/net/commands.js';

/** The folders below a prefix that systemd reads units from. */
const UNIT_PREFIXES = ['/usr', '/usr/local'];
export const EXPIRE_TIMER = 'wiretype-expire.timer';
const WANTS = '/etc/systemd/system';

/** Tests whether systemd runs this host, and reads units below the prefix. */
export function hasSystemd(prefix: string): boolean {
  return existsSync('/run/systemd/system') && UNIT_PREFIXES.includes(prefix);
}

/** Tests whether the timer that disables expired peers is enabled. */
export function isExpiryTimed(folder = WANTS): boolean {
  return existsSync(join(folder, 'timers.target.wants', EXPIRE_TIMER));
}

/** Lists the enabled units of interfaces, as in `wiretype@wg0.service`. */
export function enabledInterfaces(folder = WANTS): string[] {
  const targets = listFolder(folder).filter((name) => name.endsWith('.wants'));
  const units = targets.flatMap((target) => listFolder(join(folder, target)));
  return [...new Set(units.filter((unit) => /^wiretype@.+\.service$/.test(unit)))].sort();
}

/** Runs systemctl. @returns Its error text if it failed. */
export async function systemctl(commands: Commands, ...words: string[]): Promise<string | undefined> {
  const { status, stderr } = await commands.ask(['systemctl', ...words]);
  return status === 0 ? undefined : stderr.trim();
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}

import { readFileSync, readlinkSync } from 'node:fs';

import { AddonMissingError, loadAddon } from '../../addon/load.js';
import { isSystemError } from './system-error.js';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * Returns a name for the network namespace of this process that is unique, now and in future.
 *
 * The kernel reuses the inode number of a namespace as soon as the namespace is gone, but never reuses its cookie until
 * the machine restarts. Without the addon, or before Linux 5.14, the inode number is the name.
 *
 * Source: socket(7) SO_NETNS_COOKIE; random(4) boot_id.
 */
export function namespaceName(): string {
  const cookie = readCookie();
  const namespace = cookie === undefined ? `i${readInode()}` : String(cookie);
  return `net-${readBootId()}-${namespace}`;
}

function readCookie(): bigint | undefined {
  try {
    const cookie = BigInt(loadAddon().netnsCookie());
    return cookie > 0n ? cookie : undefined;
  } catch (error) {
    if (error instanceof AddonMissingError) return undefined;
    throw error;
  }
}

function readInode(): string {
  return /[0-9]+/.exec(readlinkSync('/proc/self/ns/net'))?.[0] ?? '0';
}

function readBootId(): string {
  try {
    return readFileSync(BOOT_ID, 'latin1').slice(0, 8);
  } catch (error) {
    if (isSystemError(error)) return 'boot';
    throw error;
  }
}

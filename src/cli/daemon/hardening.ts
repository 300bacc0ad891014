import type { Addon } from '../../addon/interface.js';
import { errnoName } from '../../host/errno.js';
import type { Log } from './log.js';

/** Keeps keys out of core files, and other processes of the same user out of our memory. */
export function hardenProcess(addon: Addon, log: Log): void {
  const result = addon.hardenProcess();
  if (result < 0) log.error(`the memory of the process is not protected: ${errnoName(-result)}`);
}

/**
 * Denies the system calls that no tunnel needs: whoever breaks into the process cannot start a program from it.
 *
 * Must be called last, since denied calls stay denied.
 */
export function denySystemCalls(addon: Addon, log: Log): void {
  const result = addon.denySystemCalls();
  if (result < 0) log.error(`no filter for system calls: ${errnoName(-result)}`);
}

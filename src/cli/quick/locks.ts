import { WireGuardError } from '../../core/errors.js';
import { FileLock } from '../../host/net/file-lock.js';
import type { QuickHost } from './quick-host.js';

/**
 * Runs work on an interface while no other command of ours does. A command in a hook works inside the lock of the one
 * that runs the hook.
 *
 * @param options `waits`: wait for another command, a minute at most. Otherwise a second command fails at once.
 * @throws {WireGuardError} ERR_ANOTHER_AT_WORK if another command holds the interface.
 */
export async function withInterfaceLock<T>(
  host: QuickHost,
  interfaceName: string,
  options: { readonly waits: boolean },
  work: () => Promise<T>,
): Promise<T> {
  const file = host.records.lockFile(interfaceName);
  const lock = options.waits ? await FileLock.acquire(file) : await FileLock.tryAcquire(file);
  if (lock === undefined) {
    throw new WireGuardError('ERR_ANOTHER_AT_WORK', `another command is at work on \`${interfaceName}'`);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/**
 * Runs work on state that all interfaces share (policy rules, marks, name servers) while no other command does.
 *
 * The work must be short: no command of the user's may run inside it.
 *
 * @throws {WireGuardError} ERR_ANOTHER_AT_WORK after a minute.
 */
export async function withNetworkLock<T>(host: QuickHost, work: () => Promise<T>): Promise<T> {
  const lock = await FileLock.acquire(host.records.lockFile());
  if (lock === undefined) throw new WireGuardError('ERR_ANOTHER_AT_WORK', 'another command changes the network');
  try {
    return await work();
  } finally {
    lock.release();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

import { WireGuardError } from '../../core/errors.js';
import { Link } from '../../host/net/link.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { runAllHooks, runHooks } from './hooks.js';
import { withInterfaceLock } from './locks.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickFile } from './quick-file.js';
import type { QuickHost } from './quick-host.js';
import { isAnswering, requireDevice, requireLink } from './require-device.js';
import { saveNow } from './save.js';
import { reconstructRecord, takeDown } from './take-down.js';
import { needsPostDown } from './up.js';

/** A daemon is back within a second, unless it dies again at once. */
const RESTART_TRIES = 8;
const RESTART_PAUSE_MS = 250;

/**
 * Takes an interface down and puts the host back as it was before `up`.
 *
 * A PreDown command that fails, or a file that cannot be saved, stops `down` before anything has changed; later errors
 * do not. If `up` was killed, or the daemon has died, nothing stops `down`.
 *
 * @throws {WireGuardError} ERR_NOT_UP, ERR_NOT_WIREGUARD, ERR_OTHER_NAMESPACE, ERR_HOOK, or the first error of undoing.
 *
 * Source: wg-quick(8).
 */
export async function down(host: QuickHost, file: QuickFile): Promise<void> {
  const { interfaceName } = file;
  await withInterfaceLock(host, interfaceName, { waits: false }, async () => {
    const config = await file.read();
    const found = await findInterface(host, config);
    if (found.isWhole) {
      await runHooks(host, config, 'PreDown');
      await requireLink(host, interfaceName);
      if (config.saveConfig) await saveNow(host, file);
    } else if (found.record.hooks?.PostUp !== undefined) {
      await runAllHooks(host, config, 'PreDown');
    }
    // A command of PreDown may have changed the record.
    const record = host.records.read(interfaceName) ?? found.record;
    let errors: WireGuardError[] = [];
    try {
      await takeDown(host, interfaceName, record);
    } finally {
      if (needsPostDown(config, record)) errors = await runAllHooks(host, config, 'PostDown');
    }
    if (errors[0] !== undefined) throw errors[0];
  });
}

interface FoundInterface {
  readonly record: TunnelRecord;
  /** The interface exists, and `up` has finished. */
  readonly isWhole: boolean;
}

/** @throws {WireGuardError} ERR_NOT_UP if there is neither an interface nor anything left of one. */
async function findInterface(host: QuickHost, config: QuickConfig): Promise<FoundInterface> {
  const { interfaceName } = config;
  const record = host.records.read(interfaceName);
  if (await new Link(host.commands, interfaceName).exists()) {
    if (record !== undefined && !(await isBackSoon(host, interfaceName))) {
      host.commands.warn(`the daemon of ${interfaceName} has ended: clearing up after it`);
      return { record, isWhole: false };
    }
    const device = await requireDevice(host, interfaceName);
    const hooks = record?.hooks;
    const isWhole = hooks === undefined || hooks.PostUp === 'done';
    if (!isWhole) host.commands.warn(`${interfaceName} was not set up completely: clearing up after it`);
    return { record: record ?? (await reconstructRecord(host, config, device)), isWhole };
  }
  if (record === undefined) {
    throw new WireGuardError('ERR_NOT_UP', `\`${interfaceName}' is not a WireGuard interface`);
  }
  // The commands of the file may bring back an interface that was moved into another network namespace.
  if (await isAnswering(host, interfaceName)) return { record, isWhole: true };
  host.commands.warn(`${interfaceName} is already gone: clearing up after it`);
  return { record, isWhole: false };
}

/** Waits for a daemon that died a moment ago: its interface stays until its supervisor has started it again. */
async function isBackSoon(host: QuickHost, interfaceName: string): Promise<boolean> {
  for (let tries = 1; !(await isAnswering(host, interfaceName)); tries++) {
    if (tries === RESTART_TRIES) return false;
    await sleep(RESTART_PAUSE_MS);
  }
  return true;
}

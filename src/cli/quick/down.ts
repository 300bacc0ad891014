import type { WireGuardError } from '../../core/errors.js';
import { Link } from '../../host/net/link.js';
import type { TunnelRecord } from '../../host/net/tunnel-record.js';
import { runAllHooks, runHooks } from './hooks.js';
import { withInterfaceLock } from './locks.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import { notWireGuard, requireDevice } from './require-device.js';
import { saveConfig } from './save.js';
import { reconstructRecord, takeDown } from './take-down.js';

/**
 * Takes an interface down and puts the host back as it was before `up`.
 *
 * A PreDown command that fails, or a file that cannot be saved, stops it before anything has changed; later errors do not.
 * An interface whose daemon has died is cleared up after.
 *
 * @throws {WireGuardError} ERR_NOT_WIREGUARD, ERR_HOOK, or what could not be undone.
 *
 * Source: wg-quick(8).
 */
export async function down(host: QuickHost, config: QuickConfig): Promise<void> {
  const { interfaceName } = config;
  await withInterfaceLock(host, interfaceName, async () => {
    const record = await requireRecord(host, config);
    if (await new Link(host.commands, interfaceName).exists()) {
      await runHooks(host, config, 'PreDown');
      if (config.saveConfig) await saveConfig(host, config);
    }
    let errors: WireGuardError[];
    try {
      await takeDown(host, interfaceName, record);
    } finally {
      errors = await runAllHooks(host, config, 'PostDown');
    }
    if (errors[0] !== undefined) throw errors[0];
  });
}

async function requireRecord(host: QuickHost, config: QuickConfig): Promise<TunnelRecord> {
  const { interfaceName } = config;
  const record = host.records.read(interfaceName);
  if (!(await new Link(host.commands, interfaceName).exists())) {
    if (record === undefined) throw notWireGuard(interfaceName);
    host.commands.warn(`${interfaceName} is gone already: clearing up after it`);
    return record;
  }
  const device = await requireDevice(host, interfaceName);
  return record ?? (await reconstructRecord(host, config, device));
}

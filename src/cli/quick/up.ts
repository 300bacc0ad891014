import { throwIfInterrupted } from '../../control/interrupted.js';
import { WireGuardError } from '../../core/errors.js';
import { Link } from '../../host/net/link.js';
import type { TunnelRecord } from '../../host/net/tunnel-record.js';
import { type Backend, makeInterface } from './backend.js';
import { addConfiguration } from './device-configuration.js';
import { runAllHooks, runHooks } from './hooks.js';
import { withInterfaceLock } from './locks.js';
import {
  allowedIpsOf,
  chooseMtu,
  endpointsOf,
  planRoutes,
  setUpBypass,
  setUpDiversion,
  setUpDns,
  setUpRoutes,
} from './network-setup.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import { requireDevice } from './require-device.js';
import { takeDown } from './take-down.js';

/** How far an interface has come: what has to be undone if it comes no further. */
interface Progress {
  readonly record: TunnelRecord;
  hasInterface: boolean;
  hasRunPreUp: boolean;
  hasRunPostUp: boolean;
}

/**
 * Sets an interface up from its file. Whatever goes wrong on the way, everything that was done is undone.
 *
 * @param backend What makes the interface.
 * @throws {WireGuardError} What went wrong.
 *
 * Source: wg-quick(8).
 */
export async function up(host: QuickHost, config: QuickConfig, backend: Backend): Promise<void> {
  const { interfaceName } = config;
  await withInterfaceLock(host, interfaceName, async () => {
    if (await new Link(host.commands, interfaceName).exists()) {
      throw new WireGuardError('ERR_INTERFACE_EXISTS', `\`${interfaceName}' already exists`);
    }
    await clearRemains(host, interfaceName);

    const progress: Progress = { record: {}, hasInterface: false, hasRunPreUp: false, hasRunPostUp: false };
    try {
      await setUp(host, config, backend, progress);
    } catch (error) {
      await undo(host, config, progress);
      throw error;
    }
  });
}

async function setUp(host: QuickHost, config: QuickConfig, backend: Backend, progress: Progress): Promise<void> {
  const { interfaceName } = config;
  const { record } = progress;
  const link = new Link(host.commands, interfaceName);

  await makeInterface(host, backend, config);
  progress.hasInterface = true;
  host.records.write(interfaceName, record);

  progress.hasRunPreUp = true;
  await runHooks(host, config, 'PreUp');
  await addConfiguration(host, config, record);
  for (const address of config.addresses) await link.addAddress(address);

  await setUpNetwork(host, config, record);
  progress.hasRunPostUp = true;
  await runHooks(host, config, 'PostUp');
  throwIfInterrupted(host.interruption);
}

async function setUpNetwork(host: QuickHost, config: QuickConfig, record: TunnelRecord): Promise<void> {
  const { interfaceName } = config;
  const device = await requireDevice(host, interfaceName);
  const plan = planRoutes(config.table, allowedIpsOf(device));
  for (const prefix of plan.diverted) await setUpBypass(host, interfaceName, prefix, record);

  const mtu = await chooseMtu(host, config, endpointsOf(device), record.table ?? device.fwmark);
  await new Link(host.commands, interfaceName).bringUp(mtu);
  throwIfInterrupted(host.interruption);
  await setUpDns(host, config, record);
  throwIfInterrupted(host.interruption);
  await setUpRoutes(host, interfaceName, plan, record);
  for (const prefix of plan.diverted) {
    throwIfInterrupted(host.interruption);
    await setUpDiversion(host, interfaceName, prefix, record);
  }
}

/** The hooks of the way down undo those of the way up, as far as these have come. */
async function undo(host: QuickHost, config: QuickConfig, progress: Progress): Promise<void> {
  if (progress.hasRunPostUp) await runAllHooks(host, config, 'PreDown');
  if (progress.hasInterface) await showErrors(host, () => takeDown(host, config.interfaceName, progress.record));
  if (progress.hasRunPreUp) await runAllHooks(host, config, 'PostDown');
}

/** An interface that went away by itself, with its daemon, has left its rules behind. */
async function clearRemains(host: QuickHost, interfaceName: string): Promise<void> {
  const record = host.records.read(interfaceName);
  if (record === undefined) return;
  host.commands.warn(`${interfaceName} went away without being taken down: clearing up after it`);
  await takeDown(host, interfaceName, record);
}

async function showErrors(host: QuickHost, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    host.commands.warn(error.message);
  }
}

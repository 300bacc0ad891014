import { throwIfInterrupted } from '../../control/interrupted.js';
import { WireGuardError } from '../../core/errors.js';
import { Link } from '../../host/net/link.js';
import { formatPrefix } from '../../host/net/prefix.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { type Backend, makeInterface } from './backend.js';
import { holdConfigFile } from './change-config-file.js';
import { addConfiguration } from './device-configuration.js';
import { changeDns } from './dns-setup.js';
import { hasHooks, runAllHooks, runHooks } from './hooks.js';
import { withInterfaceLock } from './locks.js';
import { chooseMtu, mtuInputs } from './mtu-choice.js';
import { allowedIpsOf, endpointsOf, planRoutes, setUpBypass, setUpDiversion, setUpRoutes } from './network-setup.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickFile } from './quick-file.js';
import type { QuickHost } from './quick-host.js';
import { isAnswering, requireDevice, requireLink } from './require-device.js';
import { takeDown, warnOfFailure } from './take-down.js';

/** The progress of `up`, from which a failed `up` is undone. */
interface Progress {
  readonly record: TunnelRecord;
  hasInterface: boolean;
}

/**
 * Sets an interface up from its file. If anything fails, everything that was done is undone.
 *
 * @param backend The implementation that makes the interface.
 * @throws {WireGuardError} Any failure.
 *
 * Source: wg-quick(8).
 */
export async function up(host: QuickHost, file: QuickFile, backend: Backend): Promise<void> {
  await withInterfaceLock(host, file.interfaceName, { waits: false }, async () => {
    // A peer that another command adds to the file is added either before the file is read, or once the device exists.
    const { config, progress } = await holdConfigFile(file.file, async () => await beginUp(host, file, backend));
    await orUndo(host, config, progress, async () => await finishUp(host, config, progress.record));
  });
}

async function beginUp(
  host: QuickHost,
  file: QuickFile,
  backend: Backend,
): Promise<{ config: QuickConfig; progress: Progress }> {
  const config = await file.read();
  const { interfaceName } = config;
  if (await new Link(host.commands, interfaceName).exists()) {
    throw new WireGuardError('ERR_INTERFACE_EXISTS', `\`${interfaceName}' already exists`);
  }
  await clearRemains(host, config);

  const progress: Progress = { record: { hooks: {} }, hasInterface: false };
  await orUndo(host, config, progress, async () => await setUpDevice(host, config, backend, progress));
  return { config, progress };
}

async function setUpDevice(host: QuickHost, config: QuickConfig, backend: Backend, progress: Progress): Promise<void> {
  const { record } = progress;
  host.records.write(config.interfaceName, record); // a host that cannot keep records fails before anything is done
  await makeInterface(host, backend, config);
  progress.hasInterface = true;

  await runUpHooks(host, config, record, 'PreUp');
  await addConfiguration(host, config, record);
}

async function finishUp(host: QuickHost, config: QuickConfig, record: TunnelRecord): Promise<void> {
  const link = new Link(host.commands, config.interfaceName);
  record.addresses = config.addresses.map(formatPrefix);
  for (const address of config.addresses) await link.addAddress(address);

  await setUpNetwork(host, config, record);
  await runUpHooks(host, config, record, 'PostUp');
  throwIfInterrupted(host.interruption);
}

async function setUpNetwork(host: QuickHost, config: QuickConfig, record: TunnelRecord): Promise<void> {
  const { interfaceName } = config;
  const device = await requireDevice(host, interfaceName);
  const plan = planRoutes(config.table, allowedIpsOf(device));
  for (const prefix of plan.diverted) await setUpBypass(host, interfaceName, prefix, record);

  const mark = record.table ?? device.fwmark;
  const mtu = await chooseMtu(host, config, { endpoints: endpointsOf(device), allowedIps: allowedIpsOf(device), mark });
  if (config.mtu === undefined) record.foundMtu = { bytes: mtu, inputs: mtuInputs(config) };
  await new Link(host.commands, interfaceName).bringUp(mtu);
  throwIfInterrupted(host.interruption);
  await changeDns(host, interfaceName, config.dns, record);
  throwIfInterrupted(host.interruption);
  await setUpRoutes(host, interfaceName, plan, record);
  for (const prefix of plan.diverted) {
    throwIfInterrupted(host.interruption);
    await setUpDiversion(host, interfaceName, prefix, record);
  }
}

/** Runs hooks, and records how far they came: `down` undoes no more than was done. */
async function runUpHooks(
  host: QuickHost,
  config: QuickConfig,
  record: TunnelRecord,
  name: 'PreUp' | 'PostUp',
): Promise<void> {
  const state = (value: 'begun' | 'done') => {
    record.hooks = { ...record.hooks, [name]: value };
    host.records.write(config.interfaceName, record);
  };
  if (!hasHooks(config, name)) return state('done');
  state('begun');
  await runHooks(host, config, name);
  state('done');
}

async function orUndo(
  host: QuickHost,
  config: QuickConfig,
  progress: Progress,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    await undo(host, config, progress);
    throw error;
  }
}

/** Undoes `up`: the hooks of the way down undo those hooks of the way up that have run. */
async function undo(host: QuickHost, config: QuickConfig, { record, hasInterface }: Progress): Promise<void> {
  const { interfaceName } = config;
  if (record.hooks?.PostUp !== undefined) await runAllHooks(host, config, 'PreDown');
  if (hasInterface) await warnOfFailure(host, () => takeDown(host, interfaceName, record));
  else host.records.remove(interfaceName);
  if (needsPostDown(config, record)) await runAllHooks(host, config, 'PostDown');
}

/** Clears the rules, and the effects of hooks, of an interface that vanished with its daemon. */
async function clearRemains(host: QuickHost, config: QuickConfig): Promise<void> {
  const { interfaceName } = config;
  const record = host.records.read(interfaceName);
  if (record === undefined) return;
  if (await isAnswering(host, interfaceName)) await requireLink(host, interfaceName);
  host.commands.warn(`${interfaceName} went away without being taken down: clearing up after it`);
  await undo(host, config, { record, hasInterface: true });
}

/** Returns whether PostDown commands have anything to undo, which is assumed if the progress of `up` is unknown. */
export function needsPostDown(config: QuickConfig, { hooks }: TunnelRecord): boolean {
  if (hooks === undefined || hooks.PostUp !== undefined) return true;
  return hooks.PreUp !== undefined && hasHooks(config, 'PreUp');
}

import { clearChange, readEndpoints } from '../../control/config/device-change.js';
import type { DeviceState } from '../../control/device-control.js';
import { throwIfInterrupted } from '../../control/interrupted.js';
import type { DeviceChange } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { holdConfigFile } from './change-config-file.js';
import { applyChange, nameOptions, readLookups } from './device-configuration.js';
import { type DeviceDiff, diffDevice } from './device-diff.js';
import { withInterfaceLock } from './locks.js';
import { chooseMtu, MIN_IPV6_MTU_BYTES, mtuInputs } from './mtu-choice.js';
import { allowedIpsOf, planRoutes, type RoutePlan } from './network-setup.js';
import { type NetworkState, readNetworkState } from './network-state.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickFile } from './quick-file.js';
import type { QuickHost } from './quick-host.js';
import { planAddresses, planMtu } from './reload-addresses.js';
import { planDns } from './reload-dns.js';
import { planDiversions, planPlainRoutes } from './reload-routes.js';
import type { ReloadStep } from './reload-step.js';
import { clearDevice, requireDevice, requireLink } from './require-device.js';
import { reconstructRecord } from './take-down.js';

/**
 * Makes a running interface equal to its file, all of it or nothing. Hooks do not run; sessions of peers that the
 * file does not change stay up.
 *
 * @param show Receives the plan before anything is done.
 * @param isDryRun Shows the plan only.
 * @throws {WireGuardError} Any failure; everything that was done is undone.
 */
export async function reload(
  host: QuickHost,
  file: QuickFile,
  show: (lines: readonly string[]) => void,
  isDryRun: boolean,
): Promise<void> {
  await withInterfaceLock(host, file.interfaceName, { waits: true }, async () => {
    await holdConfigFile(file.file, async () => await reloadNow(host, await file.read(), show, isDryRun));
  });
}

async function reloadNow(
  host: QuickHost,
  config: QuickConfig,
  show: (lines: readonly string[]) => void,
  isDryRun: boolean,
): Promise<void> {
  const { interfaceName } = config;
  const record = host.records.read(interfaceName);
  const device = await requireDevice(host, interfaceName, { withSecrets: true });
  const secrets: DeviceChange[] = [];
  try {
    await requireLink(host, interfaceName);
    const known = record ?? (await reconstructRecord(host, config, device));
    const state = await readNetworkState(host, interfaceName, known);
    const steps = await planSteps(host, config, device, state, secrets);
    const lines = steps.flatMap((step) => step.lines);
    show(lines);
    if (!isDryRun) await applySteps(host, config, steps, state.record);
  } finally {
    clearDevice(device);
    for (const change of secrets) clearChange(change);
  }
}

/** @param secrets Receives the changes that hold keys, for the caller to wipe. */
async function planSteps(
  host: QuickHost,
  config: QuickConfig,
  device: DeviceState,
  state: NetworkState,
  secrets: DeviceChange[],
): Promise<ReloadStep[]> {
  const { record } = state;
  const fwmark = chooseMark(config, device, record);
  const diff = await diffDevice(config, device, {
    endpointsBefore: record.endpoints,
    fwmark,
    names: nameOptions(host),
  });
  secrets.push(diff.change, diff.inverse);

  const before = planRoutes(config.table, allowedIpsOf(device));
  const after = planRoutes(config.table, diff.allowedIps);
  const mtu = await chooseNextMtu(host, config, state, diff, device.fwmark);
  const addresses = config.addresses.filter(({ family }) => family === 4 || mtu >= MIN_IPV6_MTU_BYTES);
  requireIpv6(config, mtu, after);
  return [
    planDevice(host, config.interfaceName, diff, state.record),
    planMtu(host, config, state, mtu),
    planAddresses(host, config, state, addresses),
    await planPlainRoutes(host, config, state, addresses, [before, after]),
    planDiversions(host, config, state, after, fwmark ?? device.fwmark),
    planDns(host, config, state),
  ];
}

/** Keeps an MTU that was computed for the same endpoints: a route that has changed since is no change of the file. */
async function chooseNextMtu(
  host: QuickHost,
  config: QuickConfig,
  { record }: NetworkState,
  { endpoints, allowedIps, change }: DeviceDiff,
  markBefore: number,
): Promise<number> {
  const inputs = mtuInputs(config);
  if (config.mtu === undefined && record.foundMtu?.inputs === inputs) return record.foundMtu.bytes;

  // While the traffic is diverted, the current mark leads past the tunnel.
  const isDiverted = (record.diverted ?? []).length > 0;
  const mark = isDiverted ? markBefore : (change.fwmark ?? markBefore);
  const bytes = await chooseMtu(host, config, { endpoints, allowedIps, mark });
  if (config.mtu === undefined) record.foundMtu = { bytes, inputs };
  return bytes;
}

/** @throws {WireGuardError} ERR_VALUE if the kernel would remove IPv6 from an interface with such an MTU. */
function requireIpv6({ file }: QuickConfig, mtu: number, { plain, diverted }: RoutePlan): void {
  const hasIpv6 = [...plain, ...diverted].some(({ family }) => family === 6);
  if (mtu >= MIN_IPV6_MTU_BYTES || !hasIpv6) return;
  throw new WireGuardError('ERR_VALUE', `${file}: the IPv6 routes need an MTU of ${MIN_IPV6_MTU_BYTES}, not ${mtu}`);
}

/** @returns The firewall mark to give the device, 0 for none; `undefined`: leave it as it is. */
function chooseMark(config: QuickConfig, { fwmark }: DeviceState, record: TunnelRecord): number | undefined {
  const written = config.document.interfaceSection?.fwMark;
  if (written !== undefined && written !== 0) return written;
  // Our own mark comes and goes with the default route; a mark of the user's, with the file or by a hook.
  const isSetElsewhere =
    record.hasChosenMark === true || config.hooks.some(({ command }) => command.includes('fwmark'));
  return isSetElsewhere || fwmark === 0 ? undefined : 0;
}

function planDevice(host: QuickHost, interfaceName: string, diff: DeviceDiff, record: TunnelRecord): ReloadStep {
  const isSame = diff.lines.length === 0;
  return {
    lines: diff.lines,
    apply: async () => {
      if (!isSame) await applyChange(host, interfaceName, diff.change);
      if (diff.isMarkKnown) delete record.hasChosenMark;
    },
    revert: async () => (isSame ? undefined : await applyChange(host, interfaceName, diff.inverse)),
  };
}

async function applySteps(
  host: QuickHost,
  config: QuickConfig,
  steps: readonly ReloadStep[],
  record: TunnelRecord,
): Promise<void> {
  const recordBefore = structuredClone(record);
  const begun: ReloadStep[] = [];
  try {
    for (const step of steps.some(({ lines }) => lines.length > 0) ? steps : []) {
      throwIfInterrupted(host.interruption);
      begun.push(step); // taken back in the same order: routes need the addresses, and addresses need the MTU
      await step.apply();
    }
    record.endpoints = readEndpoints(config.document);
    const device = await requireDevice(host, config.interfaceName);
    record.lookedUp = readLookups(config.document, device.peers); // the file counts for them again
    host.records.write(config.interfaceName, record);
  } catch (error) {
    for (const step of begun) await revert(host, step);
    host.records.write(config.interfaceName, recordBefore);
    throw error;
  }
}

async function revert(host: QuickHost, step: ReloadStep): Promise<void> {
  try {
    await step.revert();
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    host.commands.warn(`could not be taken back: ${error.message}`);
  }
}

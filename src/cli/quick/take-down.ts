import type { ConfigDocument } from '../../control/config/index.js';
import type { DeviceState } from '../../control/device-control.js';
import { WireGuardError } from '../../core/errors.js';
import { removeBypass, removeRules } from '../../host/net/default-route.js';
import { unsetDns } from '../../host/net/dns/dns.js';
import { removeFirewall } from '../../host/net/firewall.js';
import { queryRoutes } from '../../host/net/ip-query.js';
import { Link } from '../../host/net/link.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { restoreSourceValidation } from '../../host/net/source-validation.js';
import { isSystemError } from '../../host/net/system-error.js';
import type { IpFamily } from '../../wire/endpoint.js';
import { withNetworkLock } from './locks.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';

const FAMILIES: readonly IpFamily[] = [4, 6];

/**
 * Undoes everything that was done to the host for an interface, and removes the interface.
 *
 * Tries every step, even if others fail.
 *
 * @param record The steps that were done; other steps are skipped.
 * @throws {WireGuardError} The first error, after the last step; the others are shown as warnings.
 */
export async function takeDown(host: QuickHost, interfaceName: string, record: TunnelRecord): Promise<void> {
  const { commands } = host;
  const link = new Link(commands, interfaceName);
  const errors: WireGuardError[] = [];
  const attempt = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      if (error instanceof WireGuardError) errors.push(error);
      else warnOfSystem(host, error);
    }
  };

  await attempt(() =>
    withNetworkLock(host, async () => {
      const { table = 0, diverted = [], bypassing = [] } = record;
      for (const family of diverted) await attempt(() => removeRules(commands, interfaceName, family, table));
      for (const family of bypassing) await attempt(() => removeBypass(commands, family, table));
      if (record.dns !== undefined) await unsetDns(commands, host.dnsBackends, interfaceName, record.dns);
      await attempt(async () => ((await link.exists()) ? await link.remove() : undefined));
      await attempt(() => removeFirewall(commands, interfaceName));
      await attempt(() => restoreSourceValidation(commands, host.records.folder));
    }),
  );
  if (errors.length === 0) await attempt(async () => host.records.remove(interfaceName));
  for (const error of errors.slice(1)) commands.warn(error.message);
  if (errors[0] !== undefined) throw errors[0];
}

/** Runs work whose failure is only a warning, since more must be undone. */
export async function warnOfFailure(host: QuickHost, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof WireGuardError) host.commands.warn(error.message);
    else warnOfSystem(host, error);
  }
}

/** Shows a refusal of the system as a warning, so that the way down continues. */
function warnOfSystem(host: QuickHost, error: unknown): void {
  if (!isSystemError(error)) throw error;
  host.commands.warn(`could not be undone: ${error.message}`);
}

/** Finds out what was done for an interface that another program, such as stock wg-quick, has set up. */
export async function reconstructRecord(
  host: QuickHost,
  { document, dns, interfaceName }: QuickConfig,
  { fwmark }: DeviceState,
): Promise<TunnelRecord> {
  const record: TunnelRecord = { diverted: [] };
  for (const family of FAMILIES) {
    const routes = await queryRoutes(host.commands, interfaceName, family);
    const isDiverted = routes.some(({ prefix, table }) => prefix.length === 0 && table === fwmark);
    if (fwmark !== 0 && isDiverted) record.diverted!.push(family);
  }
  if (fwmark !== 0) record.table = fwmark;
  if (record.diverted!.length > 0) record.hasChosenMark = !isMarkWritten(document);
  if (dns.servers.length > 0 && host.commands.has('resolvconf')) record.dns = 'resolvconf';
  return record;
}

function isMarkWritten(document: ConfigDocument): boolean {
  return document.sections.some((section) => section.kind === 'interface' && section.lastEntry('FwMark') !== undefined);
}

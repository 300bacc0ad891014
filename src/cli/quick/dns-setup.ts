import { setDns, unsetDns } from '../../host/net/dns/dns.js';
import { type DnsSettings, resolvLines } from '../../host/net/dns/dns-settings.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { withNetworkLock } from './locks.js';
import type { QuickHost } from './quick-host.js';

/** Writes settings in the form that a record keeps; `undefined` for none. Search domains without servers mean nothing. */
export function dnsTextOf(settings: DnsSettings): string | undefined {
  return settings.servers.length === 0 ? undefined : resolvLines(settings).join('\n');
}

/** Replaces the name servers that the host had for a tunnel. */
export async function changeDns(
  host: QuickHost,
  interfaceName: string,
  settings: DnsSettings,
  record: TunnelRecord,
): Promise<void> {
  const { commands, dnsBackends, records } = host;
  const text = dnsTextOf(settings);
  const before = record.dns;
  if (text === undefined && before === undefined && record.dnsText === undefined) return;

  const write = (backend: TunnelRecord['dns']): void => {
    delete record.dns;
    delete record.dnsText;
    if (backend !== undefined) record.dns = backend;
    if (text !== undefined) record.dnsText = text;
    records.write(interfaceName, record);
  };
  await withNetworkLock(host, async () => {
    const isWanted = text !== undefined;
    const backend = isWanted ? await setDns(commands, dnsBackends, interfaceName, settings, write) : undefined;
    if (before !== undefined && before !== backend) await unsetDns(commands, dnsBackends, interfaceName, before);
    write(backend);
  });
}

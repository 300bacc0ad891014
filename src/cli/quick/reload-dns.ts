import { setDns, unsetDns } from '../../host/net/dns/dns.js';
import { type DnsSettings, parseResolvLines, resolvLines } from '../../host/net/dns/dns-settings.js';
import type { TunnelRecord } from '../../host/net/tunnel-record.js';
import { withNetworkLock } from './locks.js';
import type { NetworkState } from './network-state.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import type { ReloadStep } from './reload-step.js';

/** Finds whether the name servers change. */
export function planDns(host: QuickHost, config: QuickConfig, { record }: NetworkState): ReloadStep {
  const before = record.dnsText === undefined ? [] : record.dnsText.split('\n');
  const after = config.dns.servers.length === 0 ? [] : resolvLines(config.dns);
  const isSame = before.join('\n') === after.join('\n');
  return {
    lines: isSame ? [] : [...before.map((line) => `- ${line}`), ...after.map((line) => `+ ${line}`)],
    apply: async () => (isSame ? undefined : await changeDns(host, config.interfaceName, after, record)),
    revert: async () => (isSame ? undefined : await changeDns(host, config.interfaceName, before, record)),
  };
}

async function changeDns(
  host: QuickHost,
  interfaceName: string,
  lines: readonly string[],
  record: TunnelRecord,
): Promise<void> {
  const { commands, dnsBackends } = host;
  const settings: DnsSettings = parseResolvLines(lines);
  await withNetworkLock(host, async () => {
    const before = record.dns;
    const backend = lines.length === 0 ? undefined : await setDns(commands, dnsBackends, interfaceName, settings);
    if (before !== undefined && before !== backend) await unsetDns(commands, dnsBackends, interfaceName, before);
    recordDns(record, backend, lines);
    host.records.write(interfaceName, record);
  });
}

function recordDns(record: TunnelRecord, backend: TunnelRecord['dns'], lines: readonly string[]): void {
  if (backend === undefined) {
    delete record.dns;
    delete record.dnsText;
    return;
  }
  record.dns = backend;
  record.dnsText = lines.join('\n');
}

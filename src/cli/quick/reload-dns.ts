import { parseResolvLines } from '../../host/net/dns/dns-settings.js';
import { changeDns, dnsTextOf } from './dns-setup.js';
import type { NetworkState } from './network-state.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import type { ReloadStep } from './reload-step.js';

/** Finds whether the name servers change. */
export function planDns(host: QuickHost, config: QuickConfig, { record }: NetworkState): ReloadStep {
  const before = record.dnsText;
  const after = dnsTextOf(config.dns);
  const isSame = before === after;
  const change = async (text: string | undefined): Promise<void> => {
    if (isSame) return;
    await changeDns(host, config.interfaceName, parseResolvLines(text?.split('\n') ?? []), record);
  };
  const lines = (sign: string, text: string | undefined) => text?.split('\n').map((line) => `${sign} ${line}`) ?? [];
  return {
    lines: isSame ? [] : [...lines('-', before), ...lines('+', after)],
    apply: async () => await change(after),
    revert: async () => await change(before),
  };
}

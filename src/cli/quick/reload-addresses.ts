import { queryAddresses } from '../../host/net/ip-query.js';
import { Link } from '../../host/net/link.js';
import { formatPrefix, type Prefix } from '../../host/net/prefix.js';
import type { NetworkState } from './network-state.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import type { ReloadStep } from './reload-step.js';

/** Finds the addresses to add and to remove. Link-local ones that the file does not name are the kernel's. */
export function planAddresses(host: QuickHost, config: QuickConfig, { addresses }: NetworkState): ReloadStep {
  const { interfaceName } = config;
  const wanted = new Set(config.addresses.map(formatPrefix));
  const live = new Set(addresses.map(formatPrefix));
  const added = config.addresses.filter((address) => !live.has(formatPrefix(address)));
  const removed = addresses.filter((address) => !address.isLinkLocal && !wanted.has(formatPrefix(address)));
  return {
    lines: [
      ...added.map((address) => `+ address ${formatPrefix(address)}`),
      ...removed.map((address) => `- address ${formatPrefix(address)}`),
    ],
    apply: () => replaceAddresses(host, interfaceName, config.addresses, removed),
    revert: () => replaceAddresses(host, interfaceName, addresses, added),
  };
}

/** Finds whether the MTU changes. @param mtu The one to have, in bytes. */
export function planMtu(host: QuickHost, config: QuickConfig, state: NetworkState, mtu: number): ReloadStep {
  const link = new Link(host.commands, config.interfaceName);
  const isSame = mtu === state.mtu;
  return {
    lines: isSame ? [] : [`~ MTU ${state.mtu} → ${mtu}`],
    apply: async () => (isSame ? undefined : await link.setMtu(mtu)),
    revert: async () => (isSame ? undefined : await link.setMtu(state.mtu)),
  };
}

/** The kernel takes the other addresses of a subnet away with its first one: what is missing then is added again. */
async function replaceAddresses(
  host: QuickHost,
  interfaceName: string,
  wanted: readonly Prefix[],
  unwanted: readonly Prefix[],
): Promise<void> {
  const link = new Link(host.commands, interfaceName);
  const readLive = async () => new Set((await queryAddresses(host.commands, interfaceName)).map(formatPrefix));
  const addMissing = async (): Promise<void> => {
    const live = await readLive();
    for (const address of wanted) if (!live.has(formatPrefix(address))) await link.addAddress(address);
  };

  await addMissing();
  for (const address of unwanted) {
    if ((await readLive()).has(formatPrefix(address))) await link.removeAddress(address);
  }
  await addMissing();
}

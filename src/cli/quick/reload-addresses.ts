import { type InterfaceAddress, queryAddresses } from '../../host/net/ip-query.js';
import { Link } from '../../host/net/link.js';
import { coverTest, formatPrefix, isLinkLocal, type Prefix } from '../../host/net/prefix.js';
import type { NetworkState } from './network-state.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import type { ReloadStep } from './reload-step.js';

/**
 * Finds the addresses to add and to remove. Packets leave from the first address of a subnet, so that the
 * order counts. Link-local addresses that no file has named are the kernel's.
 *
 * @param wanted The addresses, in the order in which `up` adds them.
 */
export function planAddresses(
  host: QuickHost,
  { interfaceName }: QuickConfig,
  { addresses, record }: NetworkState,
  wanted: readonly Prefix[],
): ReloadStep {
  const named = new Set([...wanted.map(formatPrefix), ...(record.addresses ?? [])]);
  const live = addresses.filter((address) => !address.isLinkLocal || named.has(formatPrefix(address)));
  const before = orderOfAddition(live);
  const after = kernelOrder(wanted);
  const added = missingFrom(before, after);
  const removed = missingFrom(after, before);
  const isReordered = added.length + removed.length === 0 && !isSameList(before, after);
  const replace = (target: readonly Prefix[]) => replaceAddresses(host, interfaceName, target, named);
  return {
    lines: [
      ...added.map((address) => `+ address ${formatPrefix(address)}`),
      ...removed.map((address) => `- address ${formatPrefix(address)}`),
      ...(isReordered ? [`~ order of addresses ${after.map(formatPrefix).join(', ')}`] : []),
    ],
    apply: async () => {
      if (!isSameList(before, after)) await replace(after);
      record.addresses = wanted.map(formatPrefix);
    },
    revert: async () => await replace(before),
  };
}

/** Finds whether the MTU changes. @param mtu The wanted MTU, in bytes. */
export function planMtu(host: QuickHost, config: QuickConfig, state: NetworkState, mtu: number): ReloadStep {
  const link = new Link(host.commands, config.interfaceName);
  const isSame = mtu === state.mtu;
  return {
    lines: isSame ? [] : [`~ MTU ${state.mtu} → ${mtu}`],
    apply: async () => (isSame ? undefined : await link.setMtu(mtu)),
    revert: async () => (isSame ? undefined : await link.setMtu(state.mtu)),
  };
}

/**
 * Gives an interface the addresses of a list, in that order.
 *
 * The kernel removes the other addresses of a subnet with the first one: they are added again.
 *
 * @param named The addresses that are not the kernel's own, whatever they look like.
 */
async function replaceAddresses(
  host: QuickHost,
  interfaceName: string,
  target: readonly Prefix[],
  named: ReadonlySet<string>,
): Promise<void> {
  const link = new Link(host.commands, interfaceName);
  const readLive = async (): Promise<Prefix[]> => {
    const live = await queryAddresses(host.commands, interfaceName);
    return orderOfAddition(live.filter((address) => !address.isLinkLocal || named.has(formatPrefix(address))));
  };
  const addMissing = async (): Promise<void> => {
    for (const address of missingFrom(await readLive(), target)) await link.addAddress(address);
  };
  const remove = async (unwanted: readonly Prefix[]): Promise<void> => {
    for (const address of unwanted) {
      if (missingFrom(await readLive(), [address]).length === 0) await link.removeAddress(address);
    }
  };

  await remove(missingFrom(target, await readLive()).filter((address) => isInTheWay(address, target)));
  await addMissing(); // first, so that the interface is never without an address, and keeps its routes
  await remove(missingFrom(target, await readLive()));
  await addMissing();
  for (const family of [4, 6]) {
    const wanted = target.filter((address) => address.family === family);
    const live = (await readLive()).filter((address) => address.family === family);
    const firstWrong = wanted.findIndex((address, i) => live[i] === undefined || !isSame(address, live[i]));
    if (firstWrong >= 0) await remove(wanted.slice(firstWrong));
  }
  await addMissing();
}

/** Tests for a conflict: an interface cannot have one IPv6 address with two lengths. */
function isInTheWay({ family, address }: Prefix, wanted: readonly Prefix[]): boolean {
  return family === 6 && wanted.some((other) => other.address === address);
}

/** Returns addresses by age: the kernel lists the newest IPv6 address first, but IPv4 addresses as they were added. */
function orderOfAddition(live: readonly InterfaceAddress[]): Prefix[] {
  const ofFamily = (family: number) => live.filter((address) => address.family === family);
  return [...ofFamily(4), ...ofFamily(6).reverse()];
}

/** Sorts as the kernel does: further IPv4 addresses of a subnet, and global IPv6 addresses, come behind the others. */
function kernelOrder(addresses: readonly Prefix[]): Prefix[] {
  const first: Prefix[] = [];
  const second: Prefix[] = [];
  for (const address of addresses.filter(({ family }) => family === 4)) {
    const isSecond = first.some((other) => other.length === address.length && coverTest(address)(other));
    (isSecond ? second : first).push(address);
  }
  const global = addresses.filter((address) => address.family === 6 && !isLinkLocal(address));
  const linkLocal = addresses.filter((address) => address.family === 6 && isLinkLocal(address));
  return [...first, ...second, ...linkLocal, ...global];
}

/** @returns The items of `list` that are not in `others`. */
function missingFrom(others: readonly Prefix[], list: readonly Prefix[]): Prefix[] {
  const texts = new Set(others.map(formatPrefix));
  return list.filter((address) => !texts.has(formatPrefix(address)));
}

function isSameList(a: readonly Prefix[], b: readonly Prefix[]): boolean {
  return a.length === b.length && a.every((address, i) => isSame(address, b[i]!));
}

function isSame(a: Prefix, b: Prefix): boolean {
  return formatPrefix(a) === formatPrefix(b);
}

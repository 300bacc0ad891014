import { formatIpPrefix, networkOf } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { forwardingHooks, type HookLine } from './forwarding-hooks.js';
import type { HostNetwork } from './host-network.js';

/** The user's choices. */
export interface ForwardingWishes {
  readonly firewall: string | undefined;
  readonly out: string | undefined;
  readonly isForwarding: boolean;
  readonly isIsolated: boolean;
  readonly isForced: boolean;
}

/** The forwarding of a server, as chosen. */
export interface ChosenForwarding {
  readonly hooks: readonly HookLine[];
  readonly firewall: 'nft' | 'iptables' | undefined;
  /** The interface by which IPv4 leaves. */
  readonly out4: string | undefined;
  readonly out6: string | undefined;
}

/**
 * Chooses the firewall and the interfaces by which traffic of peers leaves, and writes the hooks.
 *
 * @throws {WireGuardError} ERR_USAGE, ERR_VALUE, ERR_COMMAND_MISSING
 */
export async function chooseForwarding(
  host: HostNetwork,
  addresses: readonly IpPrefix[],
  wishes: ForwardingWishes,
): Promise<ChosenForwarding> {
  const { isForwarding, isIsolated } = wishes;
  checkOut(host, wishes);
  const chosen = checkFirewall(host, wishes.firewall);
  if (!isForwarding && !isIsolated) return { hooks: [], firewall: undefined, out4: undefined, out6: undefined };

  const firewall = chosen ?? (await host.firewall());
  if (firewall === 'none') {
    throw new WireGuardError(
      'ERR_COMMAND_MISSING',
      'this host has neither nft nor iptables; --no-forward needs neither',
    );
  }
  const subnet = (bytes: 4 | 16) => {
    const found = addresses.find(({ address }) => address.length === bytes);
    return found === undefined ? '' : formatIpPrefix(networkOf(found));
  };
  const way = (family: 4 | 6) => (isForwarding ? (wishes.out ?? host.defaultInterface(family)) : undefined);
  const [subnet4, subnet6] = [subnet(4), subnet(16)];
  const out4 = subnet4 === '' ? undefined : way(4);
  const out6 = subnet6 === '' ? undefined : way(6);
  return { hooks: forwardingHooks({ firewall, subnet4, out4, subnet6, out6, isIsolated }), firewall, out4, out6 };
}

function checkFirewall(host: HostNetwork, chosen: string | undefined): 'nft' | 'iptables' | undefined {
  if (chosen === undefined) return undefined;
  if (chosen !== 'nft' && chosen !== 'iptables') {
    throw new WireGuardError('ERR_USAGE', '--firewall takes nft or iptables');
  }
  if (host.hasProgram(chosen)) return chosen;
  const other = chosen === 'nft' ? 'iptables' : 'nft';
  const hint = host.hasProgram(other) ? `; it has ${other}` : '';
  throw new WireGuardError('ERR_COMMAND_MISSING', `--firewall: this host has no ${chosen}${hint}`);
}

function checkOut(host: HostNetwork, { out, isForced }: ForwardingWishes): void {
  if (out === undefined) return;
  if (!/^(?!\.{1,2}$)[A-Za-z0-9_.@-]{1,15}$/.test(out)) {
    throw new WireGuardError('ERR_USAGE', '--out takes the name of an interface');
  }
  if (host.hasInterface(out) || isForced) return;
  throw new WireGuardError('ERR_VALUE', `--out: this host has no interface ${out}; --force uses it nevertheless`);
}

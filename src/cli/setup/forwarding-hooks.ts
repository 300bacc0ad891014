import type { Firewall } from './host-network.js';

/** What a server forwards, and where to. */
export interface Forwarding {
  readonly firewall: Exclude<Firewall, 'none'>;
  /** `10.66.3.0/24`. */
  readonly subnet4: string;
  /** The interface that IPv4 leaves by; `undefined`: it does not leave. */
  readonly out4: string | undefined;
  readonly subnet6: string;
  readonly out6: string | undefined;
}

/** A line of the file: a hook, and its command. */
export type HookLine = readonly [name: 'PostUp' | 'PostDown', command: string];

/**
 * Writes the hooks that let peers reach what the server reaches: forwarding in the kernel, and masquerade,
 * so that answers find their way back.
 *
 * Forwarding stays on after `down`: something else may have come to need it.
 */
export function forwardingHooks(forwarding: Forwarding): HookLine[] {
  const { firewall, out4, out6 } = forwarding;
  const hooks: HookLine[] = [];
  if (out4 !== undefined) hooks.push(['PostUp', 'sysctl -q -w net.ipv4.ip_forward=1']);
  if (out6 !== undefined) {
    // A machine that forwards ignores router advertisements, and with them its own default route, unless told otherwise.
    hooks.push(['PostUp', `sysctl -q -w net.ipv6.conf.${sysctlName(out6)}.accept_ra=2`]);
    hooks.push(['PostUp', 'sysctl -q -w net.ipv6.conf.all.forwarding=1']);
  }
  return [...hooks, ...(firewall === 'nft' ? nftHooks(forwarding) : iptablesHooks(forwarding))];
}

/** One table of our own, made and removed as a whole. */
function nftHooks({ subnet4, out4, subnet6, out6 }: Forwarding): HookLine[] {
  const masquerade = [
    out4 === undefined ? '' : `ip saddr ${subnet4} oifname "${out4}" masquerade; `,
    out6 === undefined ? '' : `ip6 saddr ${subnet6} oifname "${out6}" masquerade; `,
  ];
  const table = [
    'table inet wiretype-%i { ',
    'chain forward { type filter hook forward priority filter; ',
    'iifname "%i" accept; oifname "%i" ct state established,related accept; }; ',
    'chain postrouting { type nat hook postrouting priority srcnat; ',
    ...masquerade,
    '}; }',
  ];
  return [
    ['PostUp', `nft '${table.join('')}'`],
    ['PostDown', 'nft delete table inet wiretype-%i'],
  ];
}

function iptablesHooks({ subnet4, out4, subnet6, out6 }: Forwarding): HookLine[] {
  const rules = [
    ...(out4 === undefined ? [] : iptablesRules('iptables', subnet4, out4)),
    ...(out6 === undefined ? [] : iptablesRules('ip6tables', subnet6, out6)),
  ];
  return [
    ...rules.map((rule): HookLine => ['PostUp', rule.replace('-X', '-I')]),
    ...rules.map((rule): HookLine => ['PostDown', rule.replace('-X', '-D')]),
  ];
}

function iptablesRules(program: string, subnet: string, out: string): string[] {
  return [
    `${program} -X FORWARD -i %i -j ACCEPT`,
    `${program} -X FORWARD -o %i -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
    `${program} -t nat -X POSTROUTING -s ${subnet} -o ${out} -j MASQUERADE`,
  ];
}

/** A dot in the name of an interface is a slash there (sysctl(8)). */
function sysctlName(interfaceName: string): string {
  return interfaceName.replaceAll('.', '/');
}

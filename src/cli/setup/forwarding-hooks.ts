import type { Firewall } from './host-network.js';

/** The traffic that a server forwards, and its way out. */
export interface Forwarding {
  readonly firewall: Exclude<Firewall, 'none'>;
  /** A subnet such as `10.66.3.0/24`. */
  readonly subnet4: string;
  /** The interface that IPv4 leaves by; `undefined`: IPv4 does not leave. */
  readonly out4: string | undefined;
  readonly subnet6: string;
  readonly out6: string | undefined;
  /** Peers cannot reach each other. */
  readonly isIsolated: boolean;
}

/** A line of the file: a hook, and its command. */
export type HookLine = readonly [name: 'PostUp' | 'PostDown', command: string];

/** Where the hooks keep the settings of the kernel that they replace, until the host restarts. */
const STATE_FOLDER = '/run/wiretype-forwarding';

/**
 * Writes the hooks that let peers reach what the server reaches: forwarding in the kernel, and masquerade, so that
 * answers find their way back. PostDown restores all of it.
 */
export function forwardingHooks(forwarding: Forwarding): HookLine[] {
  const { firewall, out4, out6 } = forwarding;
  const hooks: HookLine[] = [];
  if (out4 !== undefined) hooks.push(...sysctlHooks('ipv4', ['net.ipv4.ip_forward=1']));
  if (out6 !== undefined) {
    // A host that forwards ignores router advertisements, and with them its own default route, unless accept_ra is 2.
    const settings = [`net.ipv6.conf.${sysctlName(out6)}.accept_ra=2`, 'net.ipv6.conf.all.forwarding=1'];
    hooks.push(...sysctlHooks('ipv6', settings));
  }
  return [...hooks, ...(firewall === 'nft' ? nftHooks(forwarding) : iptablesHooks(forwarding))];
}

/**
 * Writes hooks for values of the kernel. The first interface of a network namespace to need them saves the old
 * values, and the last one to go restores them: each has a file while it is up.
 */
function sysctlHooks(family: string, settings: readonly string[]): HookLine[] {
  const folder = `d="${STATE_FOLDER}/$(readlink /proc/self/ns/net)/${family}"`;
  const keys = settings.map((setting) => setting.slice(0, setting.indexOf('='))).join(' ');
  const up = [
    folder,
    'mkdir -p "$d"',
    `{ test -e "$d/before" || sysctl ${keys} > "$d/before"; }`,
    'touch "$d/%i.up"',
    `sysctl -q -w ${settings.join(' ')}`,
  ];
  const restore = 'ls "$d"/*.up > /dev/null 2>&1 || ! test -e "$d/before" || { sysctl -q -p "$d/before"; rm -r "$d"; }';
  return [
    ['PostUp', up.join(' && ')],
    ['PostDown', `${folder}; rm -f "$d/%i.up"; ${restore}`],
  ];
}

/** Writes one table of our own, which is made and removed as a whole. */
function nftHooks({ subnet4, out4, subnet6, out6, isIsolated }: Forwarding): HookLine[] {
  const masquerade = [
    out4 === undefined ? '' : `ip saddr ${subnet4} oifname "${out4}" masquerade; `,
    out6 === undefined ? '' : `ip6 saddr ${subnet6} oifname "${out6}" masquerade; `,
  ];
  const table = [
    'table inet wiretype-%i { ',
    'chain forward { type filter hook forward priority filter; ',
    isIsolated ? 'iifname "%i" oifname "%i" drop; ' : '',
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

function iptablesHooks({ subnet4, out4, subnet6, out6, isIsolated }: Forwarding): HookLine[] {
  const rules = [
    ...(out4 === undefined ? [] : iptablesRules('iptables', subnet4, out4)),
    ...(out6 === undefined ? [] : iptablesRules('ip6tables', subnet6, out6)),
    ...(isIsolated && subnet4 !== '' ? ['iptables -X FORWARD -i %i -o %i -j DROP'] : []), // inserted last, comes first
    ...(isIsolated && subnet6 !== '' ? ['ip6tables -X FORWARD -i %i -o %i -j DROP'] : []),
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

/** Writes a dot in the name of an interface as a slash, as sysctl(8) does. */
function sysctlName(interfaceName: string): string {
  return interfaceName.replaceAll('.', '/');
}

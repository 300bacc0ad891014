/**
 * The packet filter of a tunnel that takes the default route.
 *
 * The filter drops packets to the tunnel's addresses that arrive on other interfaces (CVE-2019-14899), and copies the
 * mark of the tunnel's datagrams to the answers, so that source validation accepts them.
 *
 * Source: nft(8); iptables-extensions(8).
 */

import type { IpFamily } from '../../wire/endpoint.js';
import { isCommandError } from './command-error.js';
import type { Commands } from './commands.js';
import type { Prefix } from './prefix.js';

const FAMILIES: readonly IpFamily[] = [4, 6];

/** The parameters of the filter of one family. */
export interface FirewallRules {
  readonly interfaceName: string;
  readonly family: IpFamily;
  /** The tunnel's own addresses; addresses of the other family are omitted. */
  readonly addresses: readonly Prefix[];
  /** Mark of the tunnel's own datagrams. */
  readonly mark: number;
  /** Whether messages of the tunnel travel by TCP as well, with the same mark. */
  readonly hasTcp?: boolean;
}

/**
 * Installs the filter in one step, with nft or else with iptables. An existing filter of ours is replaced.
 *
 * @throws {WireGuardError} ERR_COMMAND_FAILED, ERR_COMMAND_MISSING: both refused. No part of the filter stays behind.
 */
export async function addFirewall(commands: Commands, rules: FirewallRules): Promise<void> {
  if (!commands.has('nft')) return await addIptables(commands, rules);
  try {
    await commands.run(['nft', '-f', '-'], nftScript(rules));
  } catch (error) {
    if (!isCommandError(error) || !commands.has(`${iptablesOf(rules.family)}-restore`)) throw error;
    commands.warn(`${error.message}: trying iptables`);
    await addIptables(commands, rules);
  }
}

/** Removes the filters of an interface, of both families or of one, regardless of the program that made them. */
export async function removeFirewall(
  commands: Commands,
  interfaceName: string,
  families: readonly IpFamily[] = FAMILIES,
): Promise<void> {
  await removeNft(commands, interfaceName, families);
  for (const family of families) await removeIptables(commands, interfaceName, family);
}

function nftScript({ interfaceName, family, addresses, mark, hasTcp = false }: FirewallRules): string {
  const protocol = nftProtocol(family);
  const table = nftTable(interfaceName, family);
  const drops = addresses
    .filter((address) => address.family === family)
    .map(({ address }) => `iifname != "${interfaceName}" ${protocol} daddr ${address} fib saddr type != local drop`);
  return [
    `${table} { }`, // so that there is a table to delete
    `delete ${table}`,
    `${table} {`,
    nftChain('preraw', 'prerouting', -300, drops),
    nftChain('premangle', 'prerouting', -150, [
      'meta l4proto udp meta mark set ct mark',
      // Marks that others give to TCP, of which there is more, stay.
      ...(hasTcp ? [`meta l4proto tcp ct mark ${mark} meta mark set ct mark`] : []),
    ]),
    nftChain(
      'postmangle',
      'postrouting',
      -150,
      protocolsOf(hasTcp).map((protocol) => `meta l4proto ${protocol} mark ${mark} ct mark set mark`),
    ),
    '}',
    '',
  ].join('\n');
}

function protocolsOf(hasTcp: boolean): readonly string[] {
  return hasTcp ? ['udp', 'tcp'] : ['udp'];
}

function nftChain(name: string, hook: string, priority: number, rules: readonly string[]): string {
  return [`chain ${name} {`, `type filter hook ${hook} priority ${priority};`, ...rules, '}'].join('\n');
}

function nftTable(interfaceName: string, family: IpFamily): string {
  return `table ${nftProtocol(family)} ${nftTableName(interfaceName)}`;
}

function nftProtocol(family: IpFamily): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6';
}

/** Returns the name of the table. nft accepts neither "+" nor "=" in it. */
function nftTableName(interfaceName: string): string {
  const safe = interfaceName.replace(/[+=]/g, (character) => `.${character.charCodeAt(0).toString(16)}`);
  return `wg-quick-${safe}`;
}

async function removeNft(commands: Commands, interfaceName: string, families: readonly IpFamily[]): Promise<void> {
  if (!commands.has('nft')) return;

  const { stdout } = await commands.ask(['nft', 'list', 'tables']);
  const ours = new Set(families.map((family) => nftTable(interfaceName, family)));
  const found = stdout.split('\n').filter((line) => ours.has(line.trim()));
  if (found.length > 0) {
    await commands.run(['nft', '-f', '-'], found.map((line) => `delete ${line.trim()}\n`).join(''));
  }
}

async function addIptables(commands: Commands, rules: FirewallRules): Promise<void> {
  await removeIptables(commands, rules.interfaceName, rules.family);
  try {
    await commands.run([`${iptablesOf(rules.family)}-restore`, '-n', '-w'], iptablesScript(rules));
  } catch (error) {
    await removeIptables(commands, rules.interfaceName, rules.family);
    throw error;
  }
}

function iptablesScript({ interfaceName, family, addresses, mark, hasTcp = false }: FirewallRules): string {
  const comment = `-m comment --comment ${iptablesComment(interfaceName)}`;
  const drops = addresses
    .filter((address) => address.family === family)
    .map(
      ({ address }) =>
        `-I PREROUTING ! -i ${interfaceName} -d ${address} -m addrtype ! --src-type LOCAL -j DROP ${comment}`,
    );
  return [
    '*raw',
    ...drops,
    'COMMIT',
    '*mangle',
    ...protocolsOf(hasTcp).map(
      (protocol) => `-I POSTROUTING -m mark --mark ${mark} -p ${protocol} -j CONNMARK --save-mark ${comment}`,
    ),
    `-I PREROUTING -p udp -j CONNMARK --restore-mark ${comment}`,
    ...(hasTcp ? [`-I PREROUTING -p tcp -m connmark --mark ${mark} -j CONNMARK --restore-mark ${comment}`] : []),
    'COMMIT',
    '',
  ].join('\n');
}

function iptablesComment(interfaceName: string): string {
  return `"wg-quick(8) rule for ${interfaceName}"`;
}

async function removeIptables(commands: Commands, interfaceName: string, family: IpFamily): Promise<void> {
  const iptables = iptablesOf(family);
  if (!commands.has(`${iptables}-save`)) return;

  const { stdout } = await commands.ask([`${iptables}-save`]);
  const mark = `--comment ${iptablesComment(interfaceName)}`;
  const lines = stdout.split('\n').filter((line) => !line.startsWith('-A') || line.includes(mark));
  if (!lines.some((line) => line.startsWith('-A'))) return;

  const script = lines
    .filter((line) => /^(-A|\*|COMMIT)/.test(line))
    .map((line) => `${line.replace(/^-A/, '-D')}\n`)
    .join('');
  await commands.run([`${iptables}-restore`, '-n', '-w'], script);
}

function iptablesOf(family: IpFamily): 'iptables' | 'ip6tables' {
  return family === 4 ? 'iptables' : 'ip6tables';
}

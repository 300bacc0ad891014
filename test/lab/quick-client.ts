/**
 * A client that is set up by configuration files, and the server it has a tunnel to.
 *
 * ```text
 *   client (a machine of its own)               server
 *   eth0 203.0.113.2/24  ═════ cable ═════  203.0.113.1/24 eth0
 *        2001:db8:c::2/64                   2001:db8:c::1/64
 *   wg0  10.66.0.2       ─ ─ ─ tunnel ─ ─ ─ 10.66.0.1   wg
 *        fd66::2                            fd66::1
 *   default routes by the server            198.51.100.7, 2001:db8:7::7   lo ("the internet")
 * ```
 */
import { type Implementation, subject } from './implementation.js';
import { generateKeyPair, type KeyPairText } from './keys.js';
import { addAddresses, Lab } from './lab.js';
import { Machine } from './machine.js';
import type { Host } from './namespace.js';
import { Wireguard } from './wireguard.js';

export const INTERNET = { 4: '198.51.100.7', 6: '2001:db8:7::7' };

/** The program that makes interfaces on the client: the implementation under test. */
export const BACKEND_ENVIRONMENT = { WG_QUICK_USERSPACE_IMPLEMENTATION: subject.command };

export interface QuickClient {
  readonly lab: Lab;
  readonly client: Machine;
  readonly clientKeys: KeyPairText;
  readonly server: Host;
  /** Up, and knows the client as a peer without endpoint. */
  readonly serverWireguard: Wireguard;
}

/** The client alone, on its cable: for what needs no tunnel to work. */
export async function openClient(
  t: Parameters<typeof Lab.open>[0],
): Promise<{ lab: Lab; client: Machine; server: Host }> {
  const lab = Lab.open(t);
  const [client, server] = [await Machine.create(lab, 'client'), await lab.host('server')];
  await lab.cable([client.host, 'eth0'], [server, 'eth0']);
  await addAddresses(
    [client.host, 'eth0', '203.0.113.2/24', '2001:db8:c::2/64'],
    [server, 'eth0', '203.0.113.1/24', '2001:db8:c::1/64'],
    [server, 'lo', `${INTERNET[4]}/32`, `${INTERNET[6]}/128`],
  );
  await client.host.ip('route add default via 203.0.113.1');
  await client.host.ip('-6 route add default via 2001:db8:c::1');
  return { lab, client, server };
}

/** Client and server, whose end of the tunnel is up. */
export async function openQuickClient(
  t: Parameters<typeof Lab.open>[0],
  implementation: Implementation = subject,
): Promise<QuickClient> {
  const { lab, client, server } = await openClient(t);
  const clientKeys = generateKeyPair();
  const serverWireguard = await Wireguard.create(lab, server, implementation);
  await serverWireguard.setPeer({ publicKey: clientKeys.publicKey, allowedIps: '10.66.0.2/32,fd66::2/128' });
  await serverWireguard.up(['10.66.0.1/24', 'fd66::1/64']);
  return { lab, client, clientKeys, server, serverWireguard };
}

/** A file for the client. @param lines More lines of [Interface] and of [Peer]. */
export function clientConfig(
  { clientKeys, serverWireguard }: Pick<QuickClient, 'clientKeys' | 'serverWireguard'>,
  lines: { readonly interface?: readonly string[]; readonly peer?: readonly string[] } = {},
): string {
  return [
    '[Interface]',
    `PrivateKey = ${clientKeys.privateKey}`,
    ...(lines.interface ?? []),
    '',
    '[Peer]',
    `PublicKey = ${serverWireguard.publicKey}`,
    'Endpoint = 203.0.113.1:51820',
    ...(lines.peer ?? []),
    '',
  ].join('\n');
}

/** Everything about the host's network that `down` has to put back. Counters and random addresses are left out. */
export async function hostState(machine: Machine): Promise<string> {
  const script = `
    for family in -4 -6; do echo "rules $family"; ip $family rule show; ip $family route show table all; done
    echo addresses; ip -o address show
    echo links; ip -o link show
    echo nftables; nft list ruleset
    echo resolv.conf; ls -l --time-style=+ /etc/resolv.conf; cat /etc/resolv.conf
    echo etc; ls -l --time-style=+ /etc | grep resolv; ls /etc/wireguard | grep -v 'conf$'
    echo sysctl; cat /proc/sys/net/ipv4/conf/all/src_valid_mark
    echo sockets; ls /run/wireguard`;
  const text = await machine.run('bash', ['-c', script]);
  return text
    .split('\n')
    .filter((line) => !/fe80::|^total /.test(line))
    .map((line) => line.replace(/^\d+: /, '').replace(/(qlen|valid_lft|preferred_lft) \S+/g, ''))
    .join('\n');
}

/** A file for a client without a server: with these lines in its first section, or in its second if they belong there. */
export function fileWith(lines: string): string {
  const { privateKey } = generateKeyPair();
  const { publicKey } = generateKeyPair();
  const isOfPeer = /^(AllowedIPs|Endpoint)/.test(lines);
  return [
    '[Interface]',
    `PrivateKey = ${privateKey}`,
    ...(isOfPeer ? [] : [lines]),
    '[Peer]',
    `PublicKey = ${publicKey}`,
    ...(isOfPeer ? [lines] : ['AllowedIPs = 10.0.0.0/8', 'Endpoint = 203.0.113.9:51820']),
    '',
  ].join('\n');
}

import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { writeConfigFile } from '../../control/config/config-file.js';
import { type ConfigEndpoint, formatConfigEndpoint } from '../../control/config/peer-values.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseOptions } from '../device/command-options.js';
import { networkOf } from './address-range.js';
import { forwardingHooks, type HookLine } from './forwarding-hooks.js';
import type { HostNetwork } from './host-network.js';
import { newPrivateKey, publicKeyText } from './new-key.js';
import { checkOption } from './option-values.js';
import { makeServerConfig, pickPort, pickSubnet4, pickSubnet6 } from './server-config.js';
import { setupCommand } from './setup-command.js';

const CONFIG_DIRECTORY = '/etc/wireguard';
const DEFAULT_DNS = '1.1.1.1, 2606:4700:4700::1111';

const HELP = `Usage: wiretype init INTERFACE|FILE [options]

Makes the file of a server, ${CONFIG_DIRECTORY}/INTERFACE.conf: a new key, a subnet, a free port, and hooks that
let peers reach the internet through this machine. Nothing is changed but that file.

  --endpoint HOST[:PORT]  where clients reach this server; if absent, its own address
  --address LIST          the server's addresses with prefix lengths; if absent, a private IPv4 subnet and a
                          unique local IPv6 subnet that nobody else has
  --port PORT             if absent, the first free one from 51820 on
  --dns LIST              name servers for clients with --full (${DEFAULT_DNS})
  --firewall nft|iptables which program the hooks call; if absent, the one that this machine uses
  --out INTERFACE         where traffic of peers leaves; if absent, the way of the default route
  --no-forward            no hooks: peers reach this machine and each other's addresses only

Examples:
  wiretype init wg0 --endpoint vpn.example.net
  wiretype add-peer wg0 phone --full --qr && wiretype up wg0
`;

const OPTIONS = {
  endpoint: { type: 'string' },
  address: { type: 'string' },
  port: { type: 'string' },
  dns: { type: 'string' },
  firewall: { type: 'string' },
  out: { type: 'string' },
  'no-forward': { type: 'boolean' },
} as const;

/** Makes the file of a server. */
export const init = setupCommand({
  name: 'init',
  help: HELP,

  async runOn(host, { io }, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [1, 1]);
    const { name, path } = newFile(positionals[0]!);
    const listenPort =
      values.port === undefined ? pickPort(host) : checkOption<number>('--port', 'ListenPort', values.port);
    const addresses = values.address === undefined ? [pickSubnet4(host), pickSubnet6(host)] : splitList(values.address);
    const networks = addresses.map((address) => toNetwork(address));
    const hooks = values['no-forward'] === true ? [] : await makeHooks(host, networks, values.firewall, values.out);
    const privateKey = newPrivateKey(host);
    const document = makeServerConfig(
      {
        privateKey,
        addresses,
        listenPort,
        endpoint: values.endpoint === undefined ? undefined : toEndpoint(values.endpoint, listenPort),
        clientDns: checkDns(values.dns ?? DEFAULT_DNS),
        hooks,
      },
      path,
    );
    document.assertValid();

    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await writeConfigFile(path, document.text, { isNew: true });
    io.write(
      `Made ${path}\n  public key: ${publicKeyText(privateKey)}\n  addresses:  ${addresses.join(', ')}\n  port:       ${listenPort}\n`,
    );
    io.write(`\nNext: wiretype add-peer ${name} NAME, then wiretype up ${name}\n`);
  },
});

function newFile(target: string): { name: string; path: string } {
  const path = target.includes('/') || target.endsWith('.conf') ? target : join(CONFIG_DIRECTORY, `${target}.conf`);
  if (!/^(?![-.])[a-zA-Z0-9_=+.-]{1,15}\.conf$/.test(basename(path))) {
    throw new WireGuardError('ERR_INTERFACE_NAME', `${basename(path)}: not the name of an interface and .conf`);
  }
  if (existsSync(path)) throw new WireGuardError('ERR_CONFIG_FILE', `${path} is there already`);
  return { name: path === target ? target : basename(path, '.conf'), path };
}

function splitList(text: string): string[] {
  checkOption('--address', 'Address', text);
  return text.split(',').map((item) => item.trim());
}

/** @returns `undefined` for a single address, which has no subnet. */
function toNetwork(address: string): { text: string; family: 4 | 6 } {
  const [prefix] = checkOption<{ address: Uint8Array; prefixLength: number }[]>('--address', 'Address', address);
  return { text: formatIpPrefix(networkOf(prefix!)), family: prefix!.address.length === 4 ? 4 : 6 };
}

function toEndpoint(text: string, listenPort: number): string {
  const hasPort = /^\[.*\]:|^[^:]*:[^:]*$/.test(text);
  const isBareIpv6 = !hasPort && text.includes(':') && !text.startsWith('[');
  const complete = hasPort ? text : `${isBareIpv6 ? `[${text}]` : text}:${listenPort}`;
  return formatConfigEndpoint(checkOption<ConfigEndpoint>('--endpoint', 'Endpoint', complete));
}

function checkDns(text: string): string | undefined {
  if (text === '') return undefined;
  checkOption('--dns', 'DNS', text);
  return text;
}

async function makeHooks(
  host: HostNetwork,
  networks: readonly { text: string; family: 4 | 6 }[],
  chosen: string | undefined,
  out: string | undefined,
): Promise<HookLine[]> {
  if (chosen !== undefined && chosen !== 'nft' && chosen !== 'iptables') {
    throw new WireGuardError('ERR_USAGE', '--firewall takes nft or iptables');
  }
  if (out !== undefined && !/^[A-Za-z0-9_.@-]{1,15}$/.test(out)) {
    throw new WireGuardError('ERR_USAGE', '--out takes the name of an interface');
  }
  const firewall = chosen ?? (await host.firewall());
  if (firewall === 'none') {
    throw new WireGuardError('ERR_COMMAND_MISSING', 'neither nft nor iptables is here; --no-forward does without');
  }
  const way = (family: 4 | 6) => {
    const network = networks.find((candidate) => candidate.family === family);
    const outInterface = network === undefined ? undefined : (out ?? host.defaultInterface(family));
    return { subnet: network?.text ?? '', out: outInterface };
  };
  const [ipv4, ipv6] = [way(4), way(6)];
  return forwardingHooks({ firewall, subnet4: ipv4.subnet, out4: ipv4.out, subnet6: ipv6.subnet, out6: ipv6.out });
}

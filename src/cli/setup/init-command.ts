import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { writeConfigFile } from '../../control/config/config-file.js';
import type { ConfigAddress } from '../../control/config/config-values.js';
import { type ConfigEndpoint, formatConfigEndpoint } from '../../control/config/peer-values.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseOptions } from '../device/command-options.js';
import { jsonOption, type Manual } from '../manual.js';
import { networkOf } from './address-range.js';
import { forwardingHooks, type HookLine } from './forwarding-hooks.js';
import type { HostNetwork } from './host-network.js';
import { newPrivateKey, publicKeyText } from './new-key.js';
import { checkOption } from './option-values.js';
import { makeServerConfig, pickPort, pickSubnet4, pickSubnet6 } from './server-config.js';
import { setupCommand } from './setup-command.js';

const CONFIG_DIRECTORY = '/etc/wireguard';
const DEFAULT_DNS = '1.1.1.1, 2606:4700:4700::1111';

const OPTIONS = {
  endpoint: {
    type: 'string',
    value: 'HOST[:PORT]',
    about: 'where clients reach this server; if absent, its own address',
  },
  address: {
    type: 'string',
    value: 'LIST',
    about:
      "the server's addresses with prefix lengths; if absent, a private IPv4 subnet and a unique local IPv6 subnet " +
      'that nobody else has',
  },
  port: { type: 'string', value: 'PORT', about: 'if absent, the first free one from 51820 on' },
  dns: { type: 'string', value: 'LIST', about: `name servers for clients with --full (${DEFAULT_DNS})` },
  firewall: {
    type: 'string',
    value: 'nft|iptables',
    about: 'which program the hooks call; if absent, the one that this machine uses',
    choices: ['nft', 'iptables'],
  },
  out: {
    type: 'string',
    value: 'INTERFACE',
    about: 'where traffic of peers leaves; if absent, the way of the default route',
  },
  'no-forward': { type: 'boolean', about: 'no hooks: peers reach this machine, and what it forwards to anyway' },
  ...jsonOption('init'),
} as const;

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE [options]',
  about: `
Makes the file of a server, ${CONFIG_DIRECTORY}/INTERFACE.conf: a new key, a subnet, a free port, and hooks that let
peers reach the internet through this machine. Nothing is changed but that file.
`,
  words: [{ name: 'INTERFACE|FILE', kinds: ['config-file'] }],
  options: OPTIONS,
  examples: [
    'wiretype init wg0 --endpoint vpn.example.net',
    'wiretype add-peer wg0 phone --full --qr && wiretype up wg0',
  ],
};

/** Makes the file of a server. */
export const init = setupCommand({
  name: 'init',
  manual: MANUAL,

  async runOn(host, { io }, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [1, 1]);
    const { name, path } = newFile(positionals[0]!);
    const listenPort =
      values.port === undefined ? pickPort(host) : checkOption<number>('--port', 'ListenPort', values.port);
    const addresses =
      values.address === undefined ? [pickSubnet4(host), pickSubnet6(host)] : readAddresses(values.address);
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
    const made = { target: name, path, publicKey: publicKeyText(privateKey), addresses, listenPort };
    io.write(values.json === true ? toJson(made) : describe(made));
  },
});

/** What was made of what the user left open. */
interface MadeServer {
  /** As later commands take it: an interface or a file. */
  readonly target: string;
  readonly path: string;
  readonly publicKey: string;
  readonly addresses: readonly string[];
  readonly listenPort: number;
}

function describe({ target, path, publicKey, addresses, listenPort }: MadeServer): string {
  return `Made ${path}
  public key: ${publicKey}
  addresses:  ${addresses.join(', ')}
  port:       ${listenPort}

Next: wiretype add-peer ${target} NAME, then wiretype up ${target}
`;
}

function toJson({ path, publicKey, addresses, listenPort }: MadeServer): string {
  const shown = { interface: basename(path, '.conf'), file: path, publicKey, addresses, listenPort };
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}

function newFile(target: string): { name: string; path: string } {
  const path = target.includes('/') || target.endsWith('.conf') ? target : join(CONFIG_DIRECTORY, `${target}.conf`);
  if (!/^(?![-.])[a-zA-Z0-9_=+.-]{1,15}\.conf$/.test(basename(path))) {
    throw new WireGuardError('ERR_INTERFACE_NAME', `${basename(path)}: not the name of an interface and .conf`);
  }
  if (existsSync(path)) throw new WireGuardError('ERR_CONFIG_FILE', `${path} is there already`);
  return { name: path === target ? target : basename(path, '.conf'), path };
}

function readAddresses(text: string): string[] {
  const addresses = checkOption<ConfigAddress[]>('--address', 'Address', text);
  if (addresses.length === 0) throw new WireGuardError('ERR_VALUE', '--address: there is none in it');
  return addresses.map((address) => address.text);
}

/** @returns `undefined` for a single address, which has no subnet. */
function toNetwork(address: string): { text: string; family: 4 | 6 } {
  const [prefix] = checkOption<ConfigAddress[]>('--address', 'Address', address);
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

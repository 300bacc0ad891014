import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { systemWords, writeConfigFile } from '../../control/config/config-file.js';
import { WireGuardError } from '../../core/errors.js';
import { parseOptions } from '../device/command-options.js';
import { CONFIG_FOLDER } from '../device/peer-names.js';
import type { Manual } from '../manual.js';
import { DEFAULT_DNS, INIT_OPTIONS } from './init-options.js';
import { formatMadeServer, type MadeServer, madeServerJson } from './made-server.js';
import { guessAddress } from './make-client.js';
import { newPrivateKey, publicKeyText } from './new-key.js';
import { checkOption } from './option-values.js';
import { makeServerConfig } from './server-config.js';
import { chooseForwarding } from './server-forwarding.js';
import { chooseAddresses, choosePort, type Neighbours, toEndpoint } from './server-plan.js';
import { setupCommand } from './setup-command.js';
import { readSiblings } from './sibling-servers.js';

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE [options]',
  about: `
Makes the file of a server, ${CONFIG_FOLDER}/INTERFACE.conf: a new key, a subnet, a free port, and hooks that let peers
reach the internet through this host. Prints its choices. Nothing is changed but that file.
`,
  words: [{ name: 'INTERFACE|FILE', kinds: ['config-file'] }],
  options: INIT_OPTIONS,
  notes: `
The hooks run with "up" and "down": they switch forwarding on and restore the old setting, and they add and remove rules
of the packet filter. Other programs that need forwarding and start later than the interface, such as Docker, may lose it
when the interface goes down: set net.ipv4.ip_forward in /etc/sysctl.d then.
`,
  examples: [
    'wiretype init wg0 --endpoint vpn.example.net',
    'wiretype init wg0 --endpoint vpn.example.net --isolate',
    'wiretype add-peer wg0 phone --full --qr && wiretype up wg0',
  ],
};

/** Makes the file of a server. */
export const init = setupCommand({
  name: 'init',
  manual: MANUAL,

  async runOn(host, { io }, args) {
    const { positionals, values } = parseOptions(args, INIT_OPTIONS, [1, 1], MANUAL.words);
    const { target, path } = newFile(positionals[0]!);
    const siblings = await readSiblings(dirname(path));
    const isForced = values.force === true;
    const neighbours: Neighbours = { host, interfaceName: basename(path, '.conf'), siblings, isForced };
    const listenPort = choosePort(neighbours, values.port);
    const addresses = chooseAddresses(neighbours, values.address);
    const endpoint = values.endpoint === undefined ? undefined : toEndpoint(values.endpoint, listenPort);
    const clientDns = checkDns(values.dns ?? DEFAULT_DNS);
    const isIsolated = values.isolate === true;
    const forwarding = await chooseForwarding(host, addresses, {
      firewall: values.firewall,
      out: values.out,
      isForwarding: values['no-forward'] !== true,
      isIsolated,
      isForced,
    });
    const privateKey = newPrivateKey(host);
    const texts = addresses.map(({ text }) => text);
    const { hooks } = forwarding;
    const document = makeServerConfig({ privateKey, addresses: texts, listenPort, endpoint, clientDns, hooks }, path);
    document.assertValid();
    await writeNew(path, document.text);

    const made: MadeServer = {
      target,
      path,
      publicKey: publicKeyText(privateKey),
      addresses: texts,
      listenPort,
      endpoint: endpoint ?? guessAddress(host, listenPort),
      isEndpointGuessed: endpoint === undefined,
      forwarding,
      isIsolated,
    };
    io.write(values.json === true ? madeServerJson(made) : formatMadeServer(made));
  },
});

function newFile(target: string): { target: string; path: string } {
  const path = target.includes('/') || target.endsWith('.conf') ? target : join(CONFIG_FOLDER, `${target}.conf`);
  if (!/^(?![-.])[a-zA-Z0-9_=+.-]{1,15}\.conf$/.test(basename(path))) {
    throw new WireGuardError('ERR_INTERFACE_NAME', `${basename(path)}: not the name of an interface and .conf`);
  }
  const name = path === target ? target : basename(path, '.conf');
  if (existsSync(path)) throw existing(path, name);
  return { target: name, path };
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    const folder = dirname(path);
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    await writeConfigFile(path, text, { isNew: true });
  } catch (error) {
    const cause = error instanceof WireGuardError ? error.cause : error;
    if (!(cause instanceof Error) || !('code' in cause)) throw error;
    if (cause.code === 'EEXIST') throw existing(path, basename(path, '.conf'));
    const isRefused = cause.code === 'EACCES' || cause.code === 'EPERM';
    const code = isRefused && process.getuid?.() !== 0 ? 'ERR_NOT_ROOT' : 'ERR_CONFIG_FILE';
    throw new WireGuardError(code, `${path}: cannot write: ${systemWords(cause)}`, { cause });
  }
}

function existing(path: string, name: string): WireGuardError {
  return new WireGuardError('ERR_FILE_EXISTS', `${path} exists: wiretype add-peer ${name} NAME adds a client to it`);
}

function checkDns(text: string): string | undefined {
  if (text === '') return undefined;
  checkOption('--dns', 'DNS', text);
  return text;
}

import { closestWord } from '../../control/closest-word.js';
import { WireGuardError } from '../../core/errors.js';
import type { Command } from '../command.js';
import { parseOptions } from '../device/command-options.js';
import type { Manual } from '../manual.js';
import { gatewayFolder, socketPath } from './gateway-folder.js';
import { GATEWAY_OPTIONS, parseEndpointOption, parsePortOption } from './gateway-options.js';
import { readOidc } from './oidc-options.js';
import { readRunOptions } from './run-options.js';

const MOST_WORDS = 4;
const PAGE = { host: '127.0.0.1', port: 8_080 };
const ANY_PAGE = { host: '127.0.0.1', port: 0 };

const MANUAL: Manual = {
  usage: `[run] [--once] [--state FOLDER] [--endpoint HOST[:PORT]] [--port PORT] [--page [HOST:]PORT] [--tls-cert FILE --tls-key FILE]
[--host-name NAME] [--trusted-proxy CIDR] [--allow CIDR[:PORT]] [--config FILE] [--tun] [--interfaces]
[--oidc-issuer URL] [--oidc-client-id ID] [--oidc-client-secret-file FILE] [--oidc-name NAME] [--oidc-role ROLE] [--oidc-domain DOMAIN]
add NAME [--tag TAG] [--expires DAYS] [--public-key KEY] [--output FILE]
list | status | watch [--json]
qr NAME | block NAME | unblock NAME | remove NAME
limit NAME [--up MBIT] [--down MBIT] [--quota GB]
allow NAME|everyone CIDR[:PORT]
token NAME [--scope SCOPE] | passwd PERSON
apply FILE [--dry-run] | export [--output FILE]
call METHOD PATH [JSON|-]
backup [FILE] | restore [FILE]
import FILE [--endpoint HOST[:PORT]]`,
  about: `
Runs a VPN server without root, without a kernel module and without iptables: the traffic of devices leaves by ordinary
sockets of this program. The first run makes keys and state, prints the address of the page with a link to set it up, and the
QR code of a first device. Ends with Ctrl-C.

With another first word it asks the gateway that runs, by a socket in its folder. restore works while it does not run. import
makes a gateway of wg-easy's wg0.json or wg-easy.db, or of a server's file of wg-quick or PiVPN: devices keep their keys and go
on working. apply makes settings, devices and rules what a file of YAML or JSON declares: all of it, or nothing.
`,
  words: [
    {
      name: '[run]',
      about: 'runs the gateway, as no word does; the other actions ask the one that runs',
      choices: [
        'run',
        'add',
        'list',
        'status',
        'watch',
        'qr',
        'block',
        'unblock',
        'remove',
        'limit',
        'allow',
        'token',
        'passwd',
        'apply',
        'export',
        'call',
        'backup',
        'restore',
        'import',
      ],
    },
    { name: 'NAME', about: 'a device, by its name or id' },
    { name: 'CIDR[:PORT]', about: 'with allow: what the device may reach' },
  ],
  options: GATEWAY_OPTIONS,
  settings: {
    actions: ['run'],
    options: [
      'endpoint',
      'port',
      'page',
      'tls-cert',
      'tls-key',
      'host-name',
      'trusted-proxy',
      'allow',
      'config',
      'tun',
      'interfaces',
      'oidc-issuer',
      'oidc-client-id',
      'oidc-client-secret-file',
      'oidc-name',
      'oidc-role',
      'oidc-domain',
    ],
    always: ['state'],
  },
  environment: {
    XDG_STATE_HOME: 'the folder above that of the state',
    WIRETYPE_OIDC_CLIENT_SECRET: 'the secret of the gateway at the OpenID provider',
    'WIRETYPE_NO_ADDON=1': 'do without the C addon',
  },
  notes: `
Devices reach the internet, and neither this host, its network, nor each other, until a switch or a rule on the page allows it.
docs/gateway.md says what is denied by default, and how to run it as a service.
`,
  examples: [
    'wiretype gateway --endpoint vpn.example.net',
    'wiretype gateway add laptop --output laptop.conf',
    'wiretype gateway allow laptop 192.168.1.10:22',
    'wiretype gateway limit guest --down 20 --quota 50',
    'wiretype gateway list --json',
    'wiretype gateway apply gateway.yaml --dry-run',
    'wiretype gateway import wg0.json --endpoint vpn.example.net',
  ],
};

/** A VPN server without root, and everything that can be done with it. */
export const gateway: Command = {
  name: 'gateway',
  manual: MANUAL,

  async run(args, io) {
    const { values, positionals } = parseOptions(args, GATEWAY_OPTIONS, [0, MOST_WORDS], MANUAL.words);
    const [action = 'run', ...words] = positionals;
    const folder = gatewayFolder(values.state, process.env);
    if (action === 'run') return run(values, folder, io);
    if (action === 'restore') return restore(folder, words[0], io);
    if (action === 'import') return importInto(folder, words[0], values, io);

    const { ACTIONS, ACTION_WORDS } = await import('./actions.js');
    const perform = ACTIONS[action];
    if (perform === undefined) {
      const near = closestWord(action, ['run', 'restore', 'import', ...Object.keys(ACTIONS)]);
      throw new WireGuardError(
        'ERR_USAGE',
        `there is no action ${action}${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    }
    const [least, most] = ACTION_WORDS[action]!;
    if (words.length < least) throw new WireGuardError('ERR_USAGE', `${action}: a word is missing`);
    if (words.length > most) throw new WireGuardError('ERR_USAGE', `${action}: ${words[most]} is one word too many`);
    const { GatewayClient } = await import('./gateway-client.js');
    await perform({ words, values }, { client: new GatewayClient(socketPath(folder)), io });
  },
};

type Values = ReturnType<typeof parseOptions<typeof GATEWAY_OPTIONS>>['values'];

async function run(values: Values, folder: string, io: Parameters<Command['run']>[1]): Promise<number> {
  const shared = readRunOptions(values, values.once === true ? ANY_PAGE : PAGE);
  const oidc = readOidc(values, process.env);
  const options = {
    ...shared,
    ...(oidc === undefined ? {} : { oidc }),
    ...(values.interfaces === true ? { hasInterfaces: true } : {}),
    ...(values.config === undefined ? {} : { config: values.config }),
  };
  if (values.once === true) {
    const { runOnce } = await import('./run-once.js');
    return runOnce(values.state === undefined ? options : { ...options, folder: values.state }, io);
  }
  const { runGateway } = await import('./run-gateway.js');
  return runGateway({ ...options, folder }, io);
}

async function importInto(
  folder: string,
  file: string | undefined,
  { endpoint, port }: Values,
  io: Parameters<Command['run']>[1],
): Promise<number> {
  if (file === undefined) throw new WireGuardError('ERR_USAGE', 'import: the file is missing');
  const { importFile } = await import('./import-file.js');
  const chosen = {
    ...(endpoint === undefined ? {} : { endpoint: parseEndpointOption(endpoint) }),
    ...(port === undefined ? {} : { port: parsePortOption(port) }),
  };
  await importFile({ file, folder, ...chosen }, io);
  return 0;
}

async function restore(folder: string, backup: string | undefined, io: Parameters<Command['run']>[1]): Promise<number> {
  const { restoreStore } = await import('../../store/sqlite-store.js');
  const restored = await restoreStore(folder, backup);
  io.writeError(`Restored ${restored.backup}. The state until now is kept as ${restored.aside}.\n`);
  return 0;
}

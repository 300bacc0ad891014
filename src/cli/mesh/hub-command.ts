import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { WireGuardError } from '../../core/errors.js';
import type { Command, CommandIo } from '../command.js';
import { parseOptions } from '../device/command-options.js';
import { GATEWAY_OPTIONS } from '../gateway/gateway-options.js';
import { readRunOptions } from '../gateway/run-options.js';
import type { Manual } from '../manual.js';
import { hubFolder } from './mesh-folder.js';

const PAGE = { host: '127.0.0.1', port: 8_080 };
const NETWORK_NAME = /^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?$/;
const STATE_FILE = 'state.db';

const HUB_OPTIONS = {
  state: { ...GATEWAY_OPTIONS.state, about: 'keys and state; default: wiretype/hub in the state directory' },
  endpoint: { ...GATEWAY_OPTIONS.endpoint, about: 'where nodes reach the hub; with init only, later in the settings' },
  port: { ...GATEWAY_OPTIONS.port, about: 'the UDP port of WireGuard, with init only; probes use the next one too' },
  page: GATEWAY_OPTIONS.page,
  carrier: {
    type: 'string',
    value: 'URL',
    about:
      'where nodes without UDP reach the hub, as in wss://hub.example.net/carry; default: the page, unless it is on this host only',
  },
  'tls-cert': GATEWAY_OPTIONS['tls-cert'],
  'tls-key': GATEWAY_OPTIONS['tls-key'],
  'host-name': GATEWAY_OPTIONS['host-name'],
  'trusted-proxy': GATEWAY_OPTIONS['trusted-proxy'],
  allow: GATEWAY_OPTIONS.allow,
  tun: GATEWAY_OPTIONS.tun,
  locked: { type: 'boolean', about: 'with init: the administrator signs each node, and the hub cannot' },
  'signing-key': {
    type: 'string',
    value: 'FILE',
    about: 'with init --locked: write the signing key there, to be kept elsewhere; default: NAME-signing.key',
    kinds: ['file'],
  },
} as const;

const MANUAL: Manual = {
  usage: `[run] [--state FOLDER] [--endpoint HOST[:PORT]] [--port PORT] [--page [HOST:]PORT] [--carrier URL]
[--tls-cert FILE --tls-key FILE] [--host-name NAME] [--trusted-proxy CIDR] [--allow CIDR[:PORT]] [--tun]
init NAME [--locked] [--signing-key FILE]`,
  about: `
Runs the hub of a mesh: hosts behind NAT find each other by it. It needs one UDP port that can be reached, no root, and no kernel
module. It hands out addresses and takes keys back, and relays what it cannot read where no direct way is found.

init makes a network with its keys, prints the first invitation, and goes on as run does. While there are no nodes, run prints one
too, on a terminal only: what is printed elsewhere is kept, and an invitation is a secret. The hub is a gateway as well: wiretype
gateway --state FOLDER and the page change its devices, rules and settings.
`,
  words: [
    { name: '[run]', about: 'runs the hub, as no word does', choices: ['run', 'init'] },
    { name: 'NAME', about: 'the network, a label of DNS: nodes are NODE.NAME.internal' },
  ],
  options: HUB_OPTIONS,
  settings: { options: Object.keys(HUB_OPTIONS) },
  environment: {
    XDG_STATE_HOME: 'the folder above that of the state',
    'WIRETYPE_NO_ADDON=1': 'do without the C addon',
  },
  notes: `
docs/mesh.md says what a hub can see and what it cannot.
`,
  examples: [
    'wiretype hub init home --endpoint hub.example.net',
    'wiretype hub run --page 0.0.0.0:8080 --host-name hub.example.net',
    'wiretype hub init office --locked --endpoint hub.example.net',
  ],
};

/** The hub of a mesh. */
export const hub: Command = {
  name: 'hub',
  manual: MANUAL,

  async run(args, io) {
    const { values, positionals } = parseOptions(args, HUB_OPTIONS, [0, 2], MANUAL.words);
    const [action = 'run', name] = positionals;
    const folder = hubFolder(values.state, process.env);
    const isThere = existsSync(join(folder, STATE_FILE));
    if (action === 'run' && !isThere) throw new WireGuardError('ERR_NO_MESH', `${folder} has no hub`);
    if (action === 'init') checkNew(name, isThere, folder);
    else if (action !== 'run')
      throw new WireGuardError('ERR_USAGE', `there is no action ${action}; init and run are there`);
    return await runHub(values, action === 'init' ? name : undefined, folder, io);
  },
};

type Values = ReturnType<typeof parseOptions<typeof HUB_OPTIONS>>['values'];

function checkNew(name: string | undefined, isThere: boolean, folder: string): void {
  if (name === undefined) throw new WireGuardError('ERR_USAGE', 'init: the name of the network is missing');
  if (!NETWORK_NAME.test(name))
    throw new WireGuardError(
      'ERR_VALUE',
      `init ${name}: a label of DNS is expected, such as home: a-z, 0-9 and hyphens`,
    );
  if (isThere) throw new WireGuardError('ERR_FILE_EXISTS', `${folder} has a hub already: wiretype hub run`);
}

async function runHub(values: Values, name: string | undefined, folder: string, io: CommandIo): Promise<number> {
  const options = readRunOptions(values, PAGE);
  const [page] = options.pages;
  const reachable = options.hostNames[0] ?? hostOf(values.endpoint);
  const carrierUrl = values.carrier ?? carrierOf(page!, reachable, options.tls !== undefined);
  const { runGateway } = await import('../gateway/run-gateway.js');
  return await runGateway(
    {
      ...options,
      folder,
      hub: {
        mode: values.locked === true ? 'locked' : 'auto',
        ...(name === undefined
          ? {}
          : { name, signingKeyFile: resolve(values['signing-key'] ?? `${name}-signing.key`) }),
        ...(carrierUrl === undefined ? {} : { carrierUrl }),
      },
    },
    io,
  );
}

/** The page takes carriers, where others can reach it. */
function carrierOf(
  { host, port }: { host: string; port: number },
  name: string | undefined,
  isTls: boolean,
): string | undefined {
  const isHere = host === '127.0.0.1' || host === '::1' || host === 'localhost';
  const reachable = name ?? (host === '0.0.0.0' || host === '::' ? undefined : host);
  if (isHere || reachable === undefined) return undefined;
  const shown = reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable;
  return `${isTls ? 'wss' : 'ws'}://${shown}:${port}/carry`;
}

function hostOf(endpoint: string | undefined): string | undefined {
  return endpoint?.replace(/:\d+$/, '');
}

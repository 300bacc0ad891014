import { writeConfigFile } from '../../control/config/config-file.js';
import { type ConfigAllowedIp, type ConfigEndpoint, formatConfigEndpoint } from '../../control/config/peer-values.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseOptions } from '../device/command-options.js';
import { type Manual, TARGET } from '../manual.js';
import type { WgContext } from '../wg/wg-context.js';
import { type AddedClient, addClient } from './add-client.js';
import { type ClientSettings, formatClientConfig } from './client-config.js';
import { type ClientWishes, isPrivateAddress, makeClient } from './make-client.js';
import { checkOption, checkPeerName } from './option-values.js';
import { type ServerFile, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const DEFAULT_KEEPALIVE = '25';

const OPTIONS = {
  full: { type: 'boolean', about: 'the client sends everything through the tunnel' },
  split: { type: 'boolean', about: "only what is for the server's subnets; so it is without a word" },
  networks: { type: 'string', value: 'LIST', about: 'networks behind the client that the server shall reach' },
  reach: { type: 'string', value: 'LIST', about: 'networks behind the server that the client shall reach' },
  address: { type: 'string', value: 'LIST', about: "the client's addresses, in place of the next free ones" },
  endpoint: { type: 'string', value: 'HOST:PORT', about: 'where the client reaches the server' },
  dns: { type: 'string', value: 'LIST', about: "the client's name servers and search domains" },
  keepalive: {
    type: 'string',
    value: 'SECONDS',
    about: `${DEFAULT_KEEPALIVE} if absent; "off" for a client that is not behind NAT`,
    choices: [DEFAULT_KEEPALIVE, 'off'],
  },
  'public-key': { type: 'string', value: 'KEY', about: 'the client keeps its own private key' },
  'no-preshared-key': {
    type: 'boolean',
    about: 'without the second secret, which protects against quantum computers',
  },
  qr: { type: 'boolean', about: "a QR code in the terminal in place of the client's file" },
  'qr-file': { type: 'string', value: 'FILE', about: 'a QR code as a picture, .png or .svg', kinds: ['file'] },
  output: { type: 'string', value: 'FILE', about: "the client's file", kinds: ['file'] },
  json: {
    type: 'boolean',
    about: "what was made, and the client's file, as JSON; schema/add-peer.json in the package describes it",
  },
} as const;

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE NAME [options]',
  about: `
Adds a client to a server: picks its addresses, makes its keys, writes it into the server's file without touching
anything else in there, applies it if the interface runs, and gives the client's own file.
`,
  words: [TARGET, { name: 'NAME' }],
  options: OPTIONS,
  notes: "The client's private key is in what you are given and nowhere else. Files are readable by their owner only.",
  examples: [
    'wiretype add-peer wg0 phone --full --qr',
    'wiretype add-peer wg0 office --networks 192.168.7.0/24 --output office.conf',
    'wiretype add-peer wg0 laptop --public-key "$(ssh laptop wg show wg0 public-key)"',
  ],
};

type Values = ReturnType<typeof parseOptions<typeof OPTIONS>>['values'];

/** Adds a client to a server. */
export const addPeer = setupCommand({
  name: 'add-peer',
  manual: MANUAL,

  async runOn(host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [2, 2]);
    const [target, name] = positionals as [string, string];
    const wishes = readWishes(checkPeerName(name), values);
    const networks = readList('--networks', values.networks) ?? [];
    checkOutputs(values);

    const { file, client, added } = await withServerFile(target, async (file) => {
      const client = makeClient(host, file, wishes);
      return { file, client, added: await addClient(context, file, client, values['public-key'], networks) };
    });
    context.io.writeError(added.note);
    if (isPrivateAddress(client.endpoint.replace(/:[0-9]+$/, '').replace(/[[\]]/g, ''))) {
      context.io.writeError(
        `The endpoint ${client.endpoint} is a private address: --endpoint says where others reach it.\n`,
      );
    }
    const text = formatClientConfig(client);
    await hand(context, text, values);
    if (values.json === true) showJson(context, file, client, added, isHandedElsewhere(values) ? null : text);
  },
});

/** @throws {WireGuardError} ERR_USAGE, ERR_VALUE */
function readWishes(name: string, values: Values): ClientWishes {
  if (values.full === true && values.split === true)
    throw new WireGuardError('ERR_USAGE', '--full or --split, not both');
  if (values.full === true && values.reach !== undefined)
    throw new WireGuardError('ERR_USAGE', '--full or --reach, not both: --full reaches everything');
  if (values.json === true && values.qr === true)
    throw new WireGuardError('ERR_USAGE', '--json or --qr, not both: --qr-file makes a picture');
  const { endpoint, dns } = values;
  if (values['public-key'] !== undefined) checkOption('--public-key', 'PublicKey', values['public-key']);
  if (dns !== undefined) checkOption('--dns', 'DNS', dns);
  return {
    name,
    isFull: values.full === true,
    reach: readList('--reach', values.reach) ?? [],
    keepsKey: values['public-key'] !== undefined,
    hasPresharedKey: values['no-preshared-key'] !== true,
    addresses: readList('--address', values.address),
    endpoint:
      endpoint === undefined
        ? undefined
        : formatConfigEndpoint(checkOption<ConfigEndpoint>('--endpoint', 'Endpoint', endpoint)),
    dns,
    persistentKeepalive: checkOption('--keepalive', 'PersistentKeepalive', values.keepalive ?? DEFAULT_KEEPALIVE),
  };
}

function readList(option: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  return checkOption<ConfigAllowedIp[]>(option, 'AllowedIPs', text).map((prefix) => formatIpPrefix(prefix));
}

/** Found out before anything is changed. */
function checkOutputs(values: Values): void {
  const picture = values['qr-file'];
  if (picture !== undefined && !/\.(?:png|svg)$/.test(picture)) {
    throw new WireGuardError('ERR_USAGE', `${picture}: a picture ends with .png or .svg`);
  }
}

/** Gives the client's file: to standard output, unless it was wanted elsewhere. */
async function hand(context: WgContext, text: string, values: Values): Promise<void> {
  const { io } = context;
  if (values.output !== undefined) await writeConfigFile(values.output, text, { mode: 0o600 });
  if (values['qr-file'] !== undefined) await (await import('./qr-code.js')).writeQrCode(text, values['qr-file']);
  if (values.qr === true) {
    const isColoured = io.columns !== undefined && (io.env['NO_COLOR'] ?? '') === '';
    io.write(await (await import('./qr-code.js')).drawQrCode(text, isColoured));
  } else if (values.json !== true && !isHandedElsewhere(values)) {
    io.write(text);
  }
}

function isHandedElsewhere(values: Values): boolean {
  return values.output !== undefined || values['qr-file'] !== undefined;
}

function showJson(
  { io }: WgContext,
  { interfaceName, path }: ServerFile,
  { name, addresses, endpoint }: ClientSettings,
  { publicKey, isRunning }: AddedClient,
  config: string | null,
): void {
  const shown = { interface: interfaceName, file: path, name, publicKey, addresses, endpoint, isRunning, config };
  io.write(`${JSON.stringify(shown, undefined, 2)}\n`);
}

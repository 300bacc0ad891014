import { writeConfigFile } from '../../control/config/config-file.js';
import { type ConfigAllowedIp, type ConfigEndpoint, formatConfigEndpoint } from '../../control/config/peer-values.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseOptions } from '../device/command-options.js';
import type { WgContext } from '../wg/wg-context.js';
import { addClient } from './add-client.js';
import { formatClientConfig } from './client-config.js';
import { type ClientWishes, isPrivateAddress, makeClient } from './make-client.js';
import { checkOption, checkPeerName } from './option-values.js';
import { withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const DEFAULT_KEEPALIVE = '25';

const HELP = `Usage: wiretype add-peer INTERFACE|FILE NAME [options]

Adds a client to a server: picks its addresses, makes its keys, writes it into the server's file without touching
anything else in there, applies it if the interface runs, and gives the client's own file.

  --full                the client sends everything through the tunnel
  --split               only what is for the server's subnets; so it is without a word
  --networks LIST       networks behind the client that the server shall reach
  --address LIST        the client's addresses, in place of the next free ones
  --endpoint HOST:PORT  where the client reaches the server
  --dns LIST            the client's name servers and search domains
  --keepalive SECONDS   ${DEFAULT_KEEPALIVE} if absent; "off" for a client that is not behind NAT
  --public-key KEY      the client keeps its own private key
  --no-preshared-key    without the second secret, which protects against quantum computers

  --qr                  a QR code in the terminal in place of the client's file
  --qr-file FILE        a QR code as a picture, .png or .svg
  --output FILE         the client's file

The client's private key is in what you are given and nowhere else. Files are readable by their owner only.

Examples:
  wiretype add-peer wg0 phone --full --qr
  wiretype add-peer wg0 office --networks 192.168.7.0/24 --output office.conf
  wiretype add-peer wg0 laptop --public-key "$(ssh laptop wg show wg0 public-key)"
`;

const OPTIONS = {
  full: { type: 'boolean' },
  split: { type: 'boolean' },
  networks: { type: 'string' },
  address: { type: 'string' },
  endpoint: { type: 'string' },
  dns: { type: 'string' },
  keepalive: { type: 'string' },
  'public-key': { type: 'string' },
  'no-preshared-key': { type: 'boolean' },
  qr: { type: 'boolean' },
  'qr-file': { type: 'string' },
  output: { type: 'string' },
} as const;

type Values = ReturnType<typeof parseOptions<typeof OPTIONS>>['values'];

/** Adds a client to a server. */
export const addPeer = setupCommand({
  name: 'add-peer',
  help: HELP,

  async runOn(host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [2, 2]);
    const [target, name] = positionals as [string, string];
    const wishes = readWishes(checkPeerName(name), values);
    const networks = readList('--networks', values.networks) ?? [];
    checkOutputs(values);

    const { client, note } = await withServerFile(target, async (file) => {
      const client = makeClient(host, file, wishes);
      return { client, note: await addClient(context, file, client, values['public-key'], networks) };
    });
    context.io.writeError(note);
    if (isPrivateAddress(client.endpoint.replace(/:[0-9]+$/, '').replace(/[[\]]/g, ''))) {
      context.io.writeError(
        `The endpoint ${client.endpoint} is a private address: --endpoint says where others reach it.\n`,
      );
    }
    await hand(context, formatClientConfig(client), values);
  },
});

/** @throws {WireGuardError} ERR_USAGE, ERR_VALUE */
function readWishes(name: string, values: Values): ClientWishes {
  if (values.full === true && values.split === true)
    throw new WireGuardError('ERR_USAGE', '--full or --split, not both');
  const { endpoint, dns } = values;
  if (values['public-key'] !== undefined) checkOption('--public-key', 'PublicKey', values['public-key']);
  if (dns !== undefined) checkOption('--dns', 'DNS', dns);
  return {
    name,
    isFull: values.full === true,
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
  } else if (values.output === undefined && values['qr-file'] === undefined) {
    io.write(text);
  }
}

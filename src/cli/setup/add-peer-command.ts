import { parseOptions } from '../device/command-options.js';
import { type Manual, TARGET } from '../manual.js';
import type { WgContext } from '../wg/wg-context.js';
import { addClient } from './add-client.js';
import { type ClientSettings, formatClientConfig } from './client-config.js';
import { ClientDelivery } from './client-delivery.js';
import { CLIENT_OPTIONS, readClientWishes, readPrefixes } from './client-options.js';
import { formatExpiry, parseExpiry } from './expiry.js';
import { untimedNote } from './expiry-timer.js';
import { freeAddresses } from './free-addresses.js';
import { hostOf, isPrivateAddress, makeClient } from './make-client.js';
import { checkClientAddresses, checkClientNetworks, refuseTakenName } from './new-peer-rules.js';
import { checkPeerName } from './option-values.js';
import { isRunning, type ServerFile, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const { full, split, reach, ...OTHER_OPTIONS } = CLIENT_OPTIONS;

const OPTIONS = {
  full,
  split,
  networks: { type: 'string', value: 'LIST', about: 'networks behind the client that the server reaches' },
  reach,
  address: { type: 'string', value: 'LIST', about: "the client's addresses, in place of the next free ones" },
  ...OTHER_OPTIONS,
  expires: {
    type: 'string',
    value: 'TIME',
    about: 'disable the peer after this time: a duration such as 12h, 30d, 4w, a date, or a date and a time',
    choices: ['1d', '7d', '30d'],
  },
  json: {
    type: 'boolean',
    about: "the result and the client's file as JSON; schema/add-peer.json in the package describes it",
  },
} as const;

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE NAME [options]',
  about: `
Adds a client to a server: picks its addresses, makes its keys, adds it to the server's file without touching anything
else there, applies it if the interface runs, and hands out the client's own file.
`,
  words: [TARGET, { name: 'NAME' }],
  options: OPTIONS,
  notes: `
Only the delivered file or code holds the client's private key. Files are readable by their owner only, never replace
another file without --force. Whatever is handed out is written before the server is changed.

An expired peer is disabled, as by disable-peer: "up" and "reload" do that, and between them "wiretype expire", which the
timer of "wiretype install" runs every five minutes.
`,
  examples: [
    'wiretype add-peer wg0 phone --full --qr',
    'wiretype add-peer wg0 guest --full --qr --expires 7d',
    'wiretype add-peer wg0 office --networks 192.168.7.0/24 --output office.conf',
    'wiretype add-peer wg0 laptop --public-key "$(ssh laptop wg show wg0 public-key)"',
  ],
};

/** Adds a client to a server. */
export const addPeer = setupCommand({
  name: 'add-peer',
  manual: MANUAL,

  async runOn(host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [2, 2], MANUAL.words);
    const [target, word] = positionals as [string, string];
    const name = checkPeerName(word);
    const wishes = readClientWishes(values);
    const wanted = readPrefixes('--address', values.address);
    const networks = readPrefixes('--networks', values.networks) ?? [];
    const expiryMs = values.expires === undefined ? undefined : parseExpiry(values.expires, context.unixTimeMs());
    const delivery = new ClientDelivery(context, values);

    const made = await withServerFile(target, async (file) => {
      const { document } = file;
      refuseTakenName(document, name);
      const extras = { networks: checkClientNetworks(document, networks), expiryMs };
      const addresses = wanted === undefined ? freeAddresses(document) : checkClientAddresses(document, wanted);
      const made = makeClient(host, file, { name, addresses, wishes, notes: NO_NOTES });
      const text = formatClientConfig(made.client);
      const config = delivery.isInFile ? null : text;
      await delivery.prepare(text, file.path, () => describe(context, file, made.client, expiryMs, config));
      const { note } = await delivery.complete(() => addClient(context, file, made, extras));
      return { client: made.client, note };
    });
    context.io.writeError(made.note + untimedNote(expiryMs));
    warnOfPrivateEndpoint(context, made.client.endpoint);
  },
});

const NO_NOTES = { allowedIps: undefined, dns: undefined, endpoint: undefined, persistentKeepalive: undefined };

/** Warns of an endpoint that clients on other networks cannot reach. */
function warnOfPrivateEndpoint({ io }: WgContext, endpoint: string): void {
  if (!isPrivateAddress(hostOf(endpoint))) return;
  io.writeError(`The endpoint ${endpoint} is a private address: --endpoint sets the one that clients can reach.\n`);
}

/** Describes a client that is about to be added. */
async function describe(
  context: WgContext,
  file: ServerFile,
  client: ClientSettings,
  expiryMs: number | undefined,
  config: string | null,
): Promise<object> {
  const { name, publicKey, addresses, endpoint } = client;
  return {
    interface: file.interfaceName,
    file: file.path,
    name,
    publicKey,
    addresses,
    endpoint,
    expires: expiryMs === undefined ? null : formatExpiry(expiryMs),
    isRunning: await isRunning(context, file),
    config,
  };
}

import { WireGuardError } from '../../core/errors.js';
import type { Command } from '../command.js';
import { parseOptions } from '../device/command-options.js';
import { parseListenOption } from '../gateway/gateway-options.js';
import type { Manual } from '../manual.js';

const DEFAULT_LISTEN = '127.0.0.1:51900';

const OPTIONS = {
  listen: {
    type: 'string',
    value: '[HOST:]PORT',
    about: `the UDP port that the peer sends to; default: ${DEFAULT_LISTEN}`,
  },
} as const;

const MANUAL: Manual = {
  usage: '[--listen [HOST:]PORT] URL',
  about: `
Carries the datagrams of a WireGuard peer to the hub of a mesh in a WebSocket, where the network blocks UDP. The peer is any WireGuard
with a file of wiretype mesh add-device, unchanged but for its endpoints: write Endpoint = ${DEFAULT_LISTEN} in each [Peer]. Agents
need no such help: they change to a WebSocket by themselves.

Ends at once if no hub is reached at the start, and says why; from then on comes back by itself. It needs no root and no keys, and reads
nothing: the hub knows the peer by its own handshake. It hides nothing from a censor.
`,
  words: [{ name: 'URL', about: 'where the hub takes WebSockets: its page with the path /carry, by ws or wss' }],
  options: OPTIONS,
  settings: { options: Object.keys(OPTIONS) },
  environment: {
    'HTTPS_PROXY, HTTP_PROXY, NO_PROXY': 'the HTTP proxy for wss and for ws, and hosts that are reached without it',
    NODE_EXTRA_CA_CERTS: 'a file with the certificate of an authority of your own',
  },
  notes: `
Up to 16 senders at a time get a connection each, which ends after five silent minutes: a peer needs PersistentKeepalive = 25, as the
file has it.

With AllowedIPs = 0.0.0.0/0 the connection to the hub must stay outside of the tunnel, or it would carry itself: lay a route to the
address of the hub, or of the proxy, by the old gateway before the interface is up, for example ip route add 203.0.113.10 via
192.168.1.1.
`,
  examples: [
    'wiretype carry wss://hub.example.net/carry',
    'wiretype carry --listen 127.0.0.1:51820 ws://203.0.113.10:8080/carry',
    'HTTPS_PROXY=http://proxy:3128 wiretype carry wss://hub.example.net/carry',
  ],
};

/** The carrier of a stock peer. */
export const carry: Command = {
  name: 'carry',
  manual: MANUAL,

  async run(args, io) {
    const { values, positionals } = parseOptions(args, OPTIONS, [1, 1], MANUAL.words);
    const url = parseCarrierUrl(positionals[0]!);
    const at = parseListenOption('listen', values.listen ?? DEFAULT_LISTEN, DEFAULT_LISTEN);
    const { runCarry } = await import('./run-carry.js');
    await runCarry(url, at, io);
  },
};

/** @throws {WireGuardError} ERR_VALUE. The word is not repeated, since it may have a password. */
function parseCarrierUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^wss?:$/.test(url.protocol) || url.username !== '' || url.hash !== '')
    throw new WireGuardError('ERR_VALUE', 'URL: a WebSocket is expected, such as wss://hub.example.net/carry');
  return url.href;
}

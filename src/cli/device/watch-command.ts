import { formatKey } from '../../control/key-text.js';
import type { ReceivedExplanation } from '../../control/uapi-explain-text.js';
import { WireGuardError } from '../../core/errors.js';
import { type Manual, RUNNING } from '../manual.js';
import { getDevice } from '../wg/get-device.js';
import type { WgContext } from '../wg/wg-context.js';
import { clearDevice } from '../wg/wg-device.js';
import { parseOptions } from './command-options.js';
import { deviceCommand } from './device-command.js';
import { dropReader } from './drop-reader.js';
import { explained } from './explained.js';
import { CONFIG_FOLDER, type PeerNames, readPeerNames } from './peer-names.js';
import { peerStatus } from './peer-status.js';
import { type PeerDrops, type PeerRates, Rates } from './rates.js';
import { toShownPeer } from './show-json.js';
import { WatchScreen } from './watch-screen.js';

const MIN_INTERVAL_SECONDS = 0.1;
const MAX_INTERVAL_SECONDS = 86_400;
const MAX_COUNT = 1_000_000_000;

const OPTIONS = {
  interval: { type: 'string', value: 'SECONDS', about: 'between two looks; default 1' },
  count: { type: 'string', value: 'N', about: 'end after N looks' },
  json: { type: 'boolean', about: 'one line of JSON for each look; schema/watch.json in the package describes it' },
} as const;

const MANUAL: Manual = {
  usage: 'INTERFACE [--interval SECONDS] [--count N] [--json]',
  about: `
Shows the peers of a running interface again and again: how much they send and receive in a second, how old the last
handshake is, and what looks wrong: a peer that has never answered, or has not answered for 15 seconds; a session that is
not renewed; and with wiretyped, packets that were dropped, and why (the kernel's own interfaces do not count them).

On a terminal the busiest peers come first, as many as fit: the space bar and "b" turn pages, "q" and
Ctrl-C end the command.
`,
  words: [RUNNING],
  options: OPTIONS,
  notes: `
A peer is online if its last handshake is at most 180 seconds old, the life of a session; asleep if the last handshake is
older; never seen if it has had none since the interface came up. Names come from the comments in
${CONFIG_FOLDER}/INTERFACE.conf.
`,
  examples: ['wiretype watch wg0', 'wiretype watch wg0 --json --interval 10 >> wg0.log'],
};

interface WatchOptions {
  readonly name: string;
  readonly intervalMs: number;
  readonly count: number;
  readonly isJson: boolean;
}

/** Shows an interface live. */
export const watch = deviceCommand({
  name: 'watch',
  manual: MANUAL,

  async runIn(context, args) {
    const options = parseWatchOptions(args);
    const end = new AbortController();
    const interruption = AbortSignal.any([context.io.interruption(), end.signal]);
    const names = await readPeerNames(options.name, context.configDirectory);
    const screen = new WatchScreen(context, options.name, names, () => end.abort());
    const show = options.isJson
      ? (peers: readonly PeerRates[]) => context.io.write(toJsonLine(context, options.name, peers, names))
      : (peers: readonly PeerRates[], isKernels: boolean) => screen.show(peers, isKernels);
    if (!options.isJson) screen.open();
    try {
      await look(context, options, interruption, show);
    } finally {
      screen.close();
    }
  },
});

async function look(
  context: WgContext,
  { name, count, intervalMs }: WatchOptions,
  interruption: AbortSignal,
  show: (peers: readonly PeerRates[], isKernels: boolean) => void,
): Promise<void> {
  const rates = new Rates();
  const readDrops = dropReader(context, name);
  for (let i = 1; !interruption.aborted; i++) {
    const device = await explained(name, () => getDevice(context, name));
    const drops = byPeer(await readDrops());
    clearDevice(device);
    show(rates.look(device, performance.now(), context.unixTimeMs(), drops), device.isKernels === true);
    if (i >= count) return;
    await context.sleep(intervalMs, interruption);
  }
}

function parseWatchOptions(args: readonly string[]): WatchOptions {
  const { positionals, values } = parseOptions(args, OPTIONS, [1, 1], MANUAL.words);
  return {
    name: positionals[0]!,
    intervalMs: 1_000 * parseNumber('--interval', values.interval ?? '1', MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS),
    count: parseCount(values.count),
    isJson: values.json === true,
  };
}

function parseNumber(option: string, text: string, least: number, most: number): number {
  const number = /^[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new WireGuardError('ERR_USAGE', `${option} takes a number from ${least} to ${most}`);
}

function parseCount(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const count = parseNumber('--count', text, 1, MAX_COUNT);
  if (Number.isInteger(count)) return count;
  throw new WireGuardError('ERR_USAGE', `--count takes a whole number, not ${text}`);
}

function byPeer(explanation: ReceivedExplanation | undefined): PeerDrops | undefined {
  return explanation && new Map(explanation.peers.map(({ publicKey, drops }) => [formatKey(publicKey), drops]));
}

function toJsonLine(context: WgContext, name: string, rates: readonly PeerRates[], names: PeerNames): string {
  const peers = rates.map(({ peer, rxRate, txRate, handshakeAgeSeconds, hint, droppedPackets, dropped }) => ({
    ...toShownPeer(peer, false, names),
    status: peerStatus(handshakeAgeSeconds),
    rxBytesPerSecond: Math.round(rxRate),
    txBytesPerSecond: Math.round(txRate),
    handshakeAgeSeconds: handshakeAgeSeconds ?? null,
    droppedPackets: droppedPackets ?? null,
    dropReason: dropped?.reason ?? null,
    hint: hint ?? null,
  }));
  return `${JSON.stringify({ time: new Date(context.unixTimeMs()).toISOString(), interface: name, peers })}\n`;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { printable } from '../../control/config/secret-text.js';
import { formatKey } from '../../control/key-text.js';
import { UapiClient } from '../../control/uapi-client.js';
import type { ReceivedExplanation } from '../../control/uapi-explain-text.js';
import { WireGuardError } from '../../core/errors.js';
import { type Manual, RUNNING } from '../manual.js';
import { getDevice } from '../wg/get-device.js';
import { choosePalette } from '../wg/palette.js';
import type { WgContext } from '../wg/wg-context.js';
import { clearDevice } from '../wg/wg-device.js';
import { parseOptions } from './command-options.js';
import { deviceCommand } from './device-command.js';
import { explained } from './explained.js';
import { type PeerDrops, type PeerRates, Rates } from './rates.js';
import { toShownPeer } from './show-json.js';
import { formatWatchTable } from './watch-table.js';

const CONFIG_DIRECTORY = '/etc/wireguard';
/** Cursor to the upper left corner, and everything below it cleared. */
const CLEAR_SCREEN = '\u001b[H\u001b[J';
const MIN_INTERVAL_SECONDS = 0.1;
const MAX_INTERVAL_SECONDS = 86_400;
const MAX_COUNT = 1_000_000_000;

const OPTIONS = {
  interval: { type: 'string', value: 'SECONDS', about: 'between two looks, 1 if absent' },
  count: { type: 'string', value: 'N', about: 'ends after N looks' },
  json: { type: 'boolean', about: 'one line of JSON for each look; schema/watch.json in the package describes it' },
} as const;

const MANUAL: Manual = {
  usage: 'INTERFACE [--interval SECONDS] [--count N] [--json]',
  about: `
Shows the peers of a running interface again and again: how much they send and receive in a second, how old the last
handshake is, and what looks wrong: a peer that never answered, or does not answer for 15 seconds; a session that is not
renewed; and of our daemon, packets that it had to drop, and why: interfaces of the kernel's own do not count them. Ctrl-C
ends it.
`,
  words: [RUNNING],
  options: OPTIONS,
  notes: `Names of peers come from the comments in ${CONFIG_DIRECTORY}/INTERFACE.conf.`,
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
    const interruption = context.io.interruption();
    const names = options.isJson ? new Map<string, string>() : await readPeerNames(options.name);
    const rates = new Rates();
    const readDrops = dropReader(context, options.name);
    for (let i = 1; !interruption.aborted; i++) {
      const device = await explained(options.name, () => getDevice(context, options.name));
      const drops = await readDrops();
      const peers = rates.look(device, performance.now(), context.unixTimeMs(), drops);
      const title =
        device.isKernels === true ? `${options.name} (the kernel's own: drops are not counted)` : options.name;
      context.io.write(
        options.isJson ? toJsonLine(context, options.name, peers) : toScreen(context, title, peers, names),
      );
      clearDevice(device);
      if (i >= options.count) return;
      await context.sleep(options.intervalMs, interruption);
    }
  },
});

function parseWatchOptions(args: readonly string[]): WatchOptions {
  const { positionals, values } = parseOptions(args, OPTIONS, [1, 1]);
  return {
    name: positionals[0]!,
    intervalMs: 1_000 * parseNumber('--interval', values.interval ?? '1', MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS),
    count: values.count === undefined ? Number.POSITIVE_INFINITY : parseNumber('--count', values.count, 1, MAX_COUNT),
    isJson: values.json === true,
  };
}

function parseNumber(option: string, text: string, least: number, most: number): number {
  const number = /^[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new WireGuardError('ERR_USAGE', `${option} takes a number from ${least} to ${most}`);
}

/** The comments of the interface's file, if there is one that can be read. */
async function readPeerNames(name: string): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const path = join(CONFIG_DIRECTORY, `${name}.conf`);
  if (name.includes('/') || !existsSync(path)) return names;
  try {
    const { readConfigFile } = await import('../../control/config/config-file.js');
    for (const peer of (await readConfigFile(path)).peers) {
      if (peer.name !== undefined) names.set(peer.publicKeyText, printable(peer.name));
    }
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
  }
  return names;
}

/** Asks our daemon what it dropped; another one is asked only once, and does not tell. */
function dropReader({ socketDirectory }: WgContext, name: string): () => Promise<PeerDrops | undefined> {
  const client = new UapiClient(join(socketDirectory, `${name}.sock`));
  let isTold = true;
  return async () => {
    const explanation = isTold ? await explainOrNothing(client) : undefined;
    isTold = explanation !== undefined;
    return explanation && new Map(explanation.peers.map(({ publicKey, drops }) => [formatKey(publicKey), drops]));
  };
}

async function explainOrNothing(client: UapiClient): Promise<ReceivedExplanation | undefined> {
  try {
    return await client.explain();
  } catch (error) {
    if (error instanceof WireGuardError) return undefined;
    throw error;
  }
}

function toJsonLine(context: WgContext, name: string, rates: readonly PeerRates[]): string {
  const peers = rates.map(({ peer, rxRate, txRate, handshakeAgeSeconds, hint, droppedPackets, dropped }) => ({
    ...toShownPeer(peer, false),
    rxBytesPerSecond: Math.round(rxRate),
    txBytesPerSecond: Math.round(txRate),
    handshakeAgeSeconds: handshakeAgeSeconds ?? null,
    droppedPackets: droppedPackets ?? null,
    dropReason: dropped?.reason ?? null,
    hint: hint ?? null,
  }));
  return `${JSON.stringify({ time: new Date(context.unixTimeMs()).toISOString(), interface: name, peers })}\n`;
}

/** On a terminal every look takes the place of the one before it. */
function toScreen(
  context: WgContext,
  title: string,
  rates: readonly PeerRates[],
  names: ReadonlyMap<string, string>,
): string {
  const { columns } = context.io;
  const palette = choosePalette(context);
  const time = new Date(context.unixTimeMs()).toISOString().slice(11, 19);
  const head = `${palette.greenLabel(title)}  ${rates.length} ${rates.length === 1 ? 'peer' : 'peers'}  ${time} UTC\n\n`;
  const table = formatWatchTable(rates, names, columns, palette);
  return columns === undefined || context.io.isDumb === true ? `${head}${table}\n` : `${CLEAR_SCREEN}${head}${table}`;
}

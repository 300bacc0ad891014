import { WireGuardError } from '../../core/errors.js';
import { formatJson } from '../json-text.js';
import { type Manual, RUNNING } from '../manual.js';
import { listInterfaces } from '../wg/device-access.js';
import { getDevice } from '../wg/get-device.js';
import { show as showStock } from '../wg/show.js';
import type { WgContext } from '../wg/wg-context.js';
import { clearDevice } from '../wg/wg-device.js';
import { deviceCommand } from './device-command.js';
import { explained } from './explained.js';
import { readPeerNames } from './peer-names.js';
import type { ShownDevice } from './show-json.js';

const FIELDS = [
  'public-key',
  'private-key',
  'listen-port',
  'fwmark',
  'peers',
  'preshared-keys',
  'endpoints',
  'allowed-ips',
  'latest-handshakes',
  'transfer',
  'persistent-keepalive',
  'dump',
];

const MANUAL: Manual = {
  usage: '[INTERFACE | all | interfaces] [FIELD] [--json]',
  about: `
Shows running interfaces and their peers; without words, all of them. "interfaces" shows only their names. A field is for
scripts: one line for each peer, separated by tabs.
`,
  words: [
    { ...RUNNING, choices: ['all', 'interfaces'] },
    { name: 'FIELD', choices: FIELDS, about: `${FIELDS.slice(0, -1).join(', ')}, or dump for all of them` },
  ],
  options: {
    json: {
      type: 'boolean',
      about:
        'everything as JSON; schema/show.json in the package describes it, and schema/interfaces.json the names alone',
    },
  },
  environment: {
    'WG_HIDE_KEYS=never': 'shows private keys',
    WG_COLOR_MODE: 'always or never: colours; NO_COLOR: none',
  },
  examples: [
    'wiretype show',
    'wiretype show wg0 latest-handshakes',
    "wiretype show --json | jq '.interfaces[].peers[] | select(.latestHandshake == null) | .publicKey'",
  ],
};

/** Behaves like `wg show`, with JSON and NO_COLOR in addition. */
export const show = deviceCommand({
  name: 'show',
  manual: MANUAL,

  async runIn(context, args) {
    const words = args.filter((word) => word !== '--json');
    const option = words.find((word) => word.startsWith('-'));
    if (option !== undefined) throw new WireGuardError('ERR_USAGE', `there is no option "${option}"`);

    const [name = 'all', ...fields] = words;
    return await explained(name, async () => {
      if (words.length === args.length) return await showStock(context, words);
      if (fields.length === 0) return await showJson(context, name);
      throw new WireGuardError('ERR_USAGE', '--json shows all fields: leave the field out');
    });
  },
});

/** @returns Exit status: 1 if there are interfaces and none could be read. */
async function showJson(context: WgContext, name: string): Promise<0 | 1> {
  const names = name === 'all' || name === 'interfaces' ? await listInterfaces(context) : [name];
  if (name === 'interfaces') {
    context.io.write(formatJson({ interfaces: names.map((found) => ({ name: found })) }));
    return 0;
  }
  const interfaces: ShownDevice[] = [];
  for (const found of names) {
    const device = await tryDevice(context, found, name === 'all');
    if (device !== undefined) interfaces.push(device);
  }
  context.io.write(formatJson({ interfaces }));
  return names.length > 0 && interfaces.length === 0 ? 1 : 0;
}

/** @param mayFail Reports an interface that cannot be read, and continues. */
async function tryDevice(context: WgContext, name: string, mayFail: boolean): Promise<ShownDevice | undefined> {
  try {
    const device = await explained(name, () => getDevice(context, name));
    const { toShownDevice } = await import('./show-json.js');
    const names = await readPeerNames(name, context.configDirectory);
    const shown = toShownDevice(device, context.io.env['WG_HIDE_KEYS'] === 'never', names);
    clearDevice(device);
    return shown;
  } catch (error) {
    if (!mayFail || !(error instanceof WireGuardError)) throw error;
    context.io.writeError(`${error.message}\n`);
    return undefined;
  }
}

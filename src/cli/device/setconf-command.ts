import type { ConfigDocument } from '../../control/config/config-document.js';
import { readConfigFile } from '../../control/config/config-file.js';
import { formatProblem } from '../../control/config/config-problem.js';
import { WireGuardError } from '../../core/errors.js';
import { type Manual, RUNNING } from '../manual.js';
import { type ConfCommand, emptyDevice } from '../wg/change-device.js';
import { getDevice } from '../wg/get-device.js';
import { setDevice } from '../wg/set-device.js';
import { toSyncChange } from '../wg/sync-change.js';
import { clearChange, type WgChange } from '../wg/wg-change.js';
import type { WgContext } from '../wg/wg-context.js';
import { clearDevice, type WgDevice } from '../wg/wg-device.js';
import { parseOptions } from './command-options.js';
import { addDocument } from './config-change.js';
import { type DeviceCommand, deviceCommand } from './device-command.js';
import { explained } from './explained.js';

const FILE_NOTES = `
FILE is a configuration file as wg(8) describes it; keys of wg-quick in it are passed over. /dev/stdin reads it from
standard input. All errors of the file are shown at once, each with its line; a file with errors changes nothing.
`;

const PLAIN = {
  usage: 'INTERFACE FILE',
  words: [RUNNING, { name: 'FILE', kinds: ['config-file'] }],
  options: {},
  notes: FILE_NOTES,
} as const;

const MANUALS: Readonly<Record<ConfCommand, Manual>> = {
  setconf: {
    ...PLAIN,
    about: `
Replaces the configuration of a running interface by the file. Peers that are not in the file are removed, and all
sessions start again.
`,
    examples: ['wiretype setconf wg0 wg0.conf'],
  },
  addconf: {
    ...PLAIN,
    about: 'Adds the settings and peers of a file to a running interface. Peers that are not in the file stay.',
    examples: ['wiretype addconf wg0 more-peers.conf'],
  },
  syncconf: {
    ...PLAIN,
    usage: '[--allow-wipe] INTERFACE FILE',
    about: `
Replaces the configuration of a running interface by the file, and keeps the sessions of peers that do not change.

A file without ListenPort, PrivateKey or FwMark keeps those of the interface, with a warning. A file without any
peer is refused while the interface has some.
`,
    options: {
      'allow-wipe': { type: 'boolean', about: 'reset and remove what the file does not mention, as wg does' },
    },
    examples: ['wiretype syncconf wg0 wg0.conf', 'wiretype strip wg0 | wiretype syncconf wg0 /dev/stdin'],
  },
};

/** Behaves like `wg setconf`, `addconf` or `syncconf`, but reads the file with `wiretype/config`. */
export function confCommand(name: ConfCommand): DeviceCommand {
  return deviceCommand({
    name,
    manual: MANUALS[name],
    async runIn(context, args) {
      const { positionals, values } = parseOptions(args, MANUALS[name].options, [2, 2]);
      const [interfaceName, path] = positionals as [string, string];
      const document = await readChecked(context, path);
      await explained(interfaceName, async () => {
        const mayWipe = values['allow-wipe'] === true;
        await apply(context, name, interfaceName, document, mayWipe);
      });
    },
  });
}

/** Reads a file, throws its errors and shows its warnings. */
async function readChecked({ io }: WgContext, path: string): Promise<ConfigDocument> {
  const document = await readConfigFile(path);
  document.assertValid();
  for (const problem of document.problems) io.writeError(formatProblem(problem, path));
  return document;
}

async function apply(
  context: WgContext,
  command: ConfCommand,
  name: string,
  document: ConfigDocument,
  mayWipe: boolean,
): Promise<void> {
  const change: WgChange = command === 'addconf' ? { replacePeers: false, peers: [] } : emptyDevice();
  try {
    await addDocument(context, document, change);
    if (command === 'syncconf') await syncWithDevice(context, name, document, change, mayWipe);
    await setDevice(context, name, change);
  } finally {
    clearChange(change);
  }
}

async function syncWithDevice(
  context: WgContext,
  name: string,
  document: ConfigDocument,
  change: WgChange,
  mayWipe: boolean,
): Promise<void> {
  const device = await getDevice(context, name);
  try {
    if (!mayWipe) keepUnsaid(context, document, device, change);
    toSyncChange(change, device);
  } finally {
    clearDevice(device);
  }
}

/**
 * Keeps the settings of the interface that the file does not mention.
 *
 * @throws {WireGuardError} ERR_WIPE if the file would remove all peers.
 */
function keepUnsaid(context: WgContext, document: ConfigDocument, device: WgDevice, change: WgChange): void {
  const { fileName, interfaceSection: section } = document;
  const keep = (key: string) =>
    context.io.writeError(
      `${fileName}: warning: no ${key}: the interface keeps its current value (--allow-wipe resets it)\n`,
    );

  if (section?.listenPort === undefined && device.listenPort !== 0) {
    keep('ListenPort');
    delete change.listenPort;
  }
  if (section?.privateKey === undefined && device.privateKey !== undefined) {
    keep('PrivateKey');
    delete change.privateKey;
  }
  if (section?.fwMark === undefined && device.fwmark !== 0) {
    keep('FwMark');
    delete change.fwmark;
  }
  if (document.peers.length === 0 && device.peers.length > 0) {
    throw new WireGuardError('ERR_WIPE', `${fileName} has no peer, and ${device.name} has ${device.peers.length}`);
  }
}

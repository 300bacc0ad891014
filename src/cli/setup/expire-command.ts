import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { printable } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseOptions } from '../device/command-options.js';
import { CONFIG_FOLDER } from '../device/peer-names.js';
import { jsonOption, type Manual, TARGET } from '../manual.js';
import type { WgContext } from '../wg/wg-context.js';
import { writeJson } from './changed-peer.js';
import { checkExpiries, type ExpiredPeer, expirePeers } from './expire-peers.js';

import { setupCommand } from './setup-command.js';

const OPTIONS = jsonOption('expire');
const MAX_TARGETS = 1_000;

const MANUAL: Manual = {
  usage: '[INTERFACE|FILE]... [--json]',
  about: `
Disables the peers whose time is over, as disable-peer does: those with a comment "# Expires = TIME", which add-peer
--expires writes. Without arguments it works on all files in ${CONFIG_FOLDER}. "up" and "reload" do the same for their file;
between them, a timer must call this command: "wiretype install" sets one up that runs every five minutes.
`,
  words: [{ ...TARGET, about: `default: all files in ${CONFIG_FOLDER}` }],
  options: OPTIONS,
  notes: 'The exit status is 1 if a file could not be read or changed; the other files are worked on nevertheless.',
  examples: ['wiretype expire', 'wiretype expire wg0'],
};

/** Disables peers whose time is over. */
export const expire = setupCommand({
  name: 'expire',
  manual: MANUAL,

  async runOn(_host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [0, MAX_TARGETS], MANUAL.words);
    const targets = positionals.length === 0 ? configFiles() : positionals;
    const disabled: ExpiredPeer[] = [];
    let failures = 0;
    for (const target of targets) {
      const isDone = await orReport(context, async () => void disabled.push(...(await expirePeers(context, target))));
      const isSound = isDone && (await orReport(context, () => checkExpiries(target)));
      if (!isSound) failures++;
    }
    for (const { interface: name, name: peer, publicKey, expires } of disabled) {
      context.io.writeError(`Disabled ${printable(peer ?? publicKey)} of ${name}: expired at ${expires}.\n`);
    }
    if (values.json === true) writeJson(context, { disabled });
    return failures === 0 ? 0 : 1;
  },
});

/** @returns Whether the work succeeded; otherwise its error is shown. */
async function orReport({ io }: WgContext, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    io.writeError(`wiretype expire: ${error.message} (${error.code})\n`);
    return false;
  }
}

function configFiles(): string[] {
  try {
    const names = readdirSync(CONFIG_FOLDER).filter((name) => name.endsWith('.conf'));
    return names.sort().map((name) => join(CONFIG_FOLDER, name));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code === 'ENOENT') return [];
    throw new WireGuardError('ERR_CONFIG_FILE', `${CONFIG_FOLDER} cannot be read: ${String(error.code)}`, {
      cause: error,
    });
  }
}

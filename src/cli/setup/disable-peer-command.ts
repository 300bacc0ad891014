import { disablePeer as disableSection } from '../../control/config/disabled-peer.js';
import { parseOptions } from '../device/command-options.js';
import { jsonOption, type Manual, PEER, TARGET } from '../manual.js';
import type { WgContext } from '../wg/wg-context.js';
import { changedPeer, effectText, removalOf, writeJson } from './changed-peer.js';
import { type FilePeer, findPeer, peerLabel } from './file-peers.js';
import { type HeldServerFile, saveAndApply, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const OPTIONS = jsonOption('disable-peer');

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE NAME|KEY [--json]',
  about: `
Locks a peer out without forgetting it: its lines stay in the file as comments, which other programs ignore, and it is
removed from the running interface. Its addresses are not given to other peers. enable-peer lets it in again.
`,
  words: [TARGET, PEER],
  options: OPTIONS,
  notes:
    'A stock wg-quick with SaveConfig = true writes the file anew without comments, and so without disabled peers.',
  examples: ['wiretype disable-peer wg0 phone', 'wiretype enable-peer wg0 phone'],
};

/** Locks a peer out, and keeps it in the file. */
export const disablePeer = setupCommand({
  name: 'disable-peer',
  manual: MANUAL,

  async runOn(_host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [2, 2], MANUAL.words);
    const [target, nameOrKey] = positionals as [string, string];
    await withServerFile(target, async (file) => {
      const found = findPeer(file.document, nameOrKey);
      const { peer, disabled } = found;
      const isRunning = await disableInFile(context, file, found);
      const what = disabled === undefined ? `Disabled ${peerLabel(peer)} in` : `${peerLabel(peer)} is disabled in`;
      context.io.writeError(`${what} ${effectText(file, isRunning)}.\n`);
      if (values.json === true) writeJson(context, changedPeer(file, peer.name, peer.publicKeyText, isRunning));
    });
  },
});

/** Disables a peer in a file and removes it from the running interface. @returns Whether the interface runs. */
export async function disableInFile(
  context: WgContext,
  file: HeldServerFile,
  { peer, disabled }: FilePeer,
): Promise<boolean> {
  const oldText = file.document.text;
  if (disabled === undefined) disableSection(file.document, peer);
  return await saveAndApply(context, file, oldText, removalOf(peer.publicKeyText));
}

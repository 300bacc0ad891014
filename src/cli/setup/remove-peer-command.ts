import { parseOptions } from '../device/command-options.js';
import { jsonOption, type Manual, PEER, TARGET } from '../manual.js';
import { changedPeer, effectText, removalOf, writeJson } from './changed-peer.js';
import { findPeer, peerLabel } from './file-peers.js';
import { saveAndApply, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const OPTIONS = jsonOption('remove-peer');

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE NAME|KEY [--json]',
  about: 'Removes a peer from a file, with its comments and nothing else, and from the running interface.',
  words: [TARGET, PEER],
  options: OPTIONS,
  examples: ['wiretype remove-peer wg0 phone', 'wiretype remove-peer wg0 xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg='],
};

/** Removes a peer from a server. */
export const removePeer = setupCommand({
  name: 'remove-peer',
  manual: MANUAL,

  async runOn(_host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [2, 2], MANUAL.words);
    const [target, nameOrKey] = positionals as [string, string];
    await withServerFile(target, async (file) => {
      const { document } = file;
      const oldText = document.text;
      const { peer, disabled } = findPeer(document, nameOrKey);
      document.replaceSection((disabled ?? peer).section, []);

      const isRunning = await saveAndApply(context, file, oldText, removalOf(peer.publicKeyText));
      context.io.writeError(`Removed ${peerLabel(peer)} from ${effectText(file, isRunning)}.\n`);
      if (values.json === true) writeJson(context, changedPeer(file, peer.name, peer.publicKeyText, isRunning));
    });
  },
});

import { parseKey } from '../../control/key-text.js';
import { parseOptions } from '../device/command-options.js';
import { jsonOption, type Manual, TARGET } from '../manual.js';
import { newPeerChange } from '../wg/set-arguments.js';
import { findPeer, saveAndApply, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const OPTIONS = jsonOption('remove-peer');

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE NAME|KEY [--json]',
  about: 'Takes a peer out of a file, with its comments and nothing else, and out of the running interface.',
  words: [TARGET, { name: 'NAME|KEY', kinds: ['peer-name'] }],
  options: OPTIONS,
  examples: ['wiretype remove-peer wg0 phone', 'wiretype remove-peer wg0 xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg='],
};

/** Takes a peer out of a server. */
export const removePeer = setupCommand({
  name: 'remove-peer',
  manual: MANUAL,

  async runOn(_host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [2, 2]);
    const [target, nameOrKey] = positionals as [string, string];
    await withServerFile(target, async (file) => {
      const { document, interfaceName, path } = file;
      const oldText = document.text;
      const peer = findPeer(document, nameOrKey);
      const key = peer.publicKeyText;
      const peerName = peer.name ?? null;
      const shownName = peerName ?? key;
      document.removePeer(peer);

      const change = { ...newPeerChange(parseKey(key, 'public key')), isRemoval: true };
      const isRunning = await saveAndApply(context, file, oldText, { replacePeers: false, peers: [change] });
      const where = isRunning ? ' and of the running interface' : `; ${interfaceName} does not run`;
      context.io.writeError(`Took ${shownName} out of ${path}${where}.\n`);
      if (values.json !== true) return;
      const removed = { interface: interfaceName, file: path, name: peerName, publicKey: key, isRunning };
      context.io.write(`${JSON.stringify(removed, undefined, 2)}\n`);
    });
  },
});

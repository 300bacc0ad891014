import { parseKey } from '../../control/key-text.js';
import { parseOptions } from '../device/command-options.js';
import { newPeerChange } from '../wg/set-arguments.js';
import { findPeer, saveAndApply, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const HELP = `Usage: wiretype remove-peer INTERFACE|FILE NAME|KEY

Takes a peer out of a file, with its comments and nothing else, and out of the running interface.

Examples:
  wiretype remove-peer wg0 phone
  wiretype remove-peer wg0 xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
`;

/** Takes a peer out of a server. */
export const removePeer = setupCommand({
  name: 'remove-peer',
  help: HELP,

  async runOn(_host, context, args) {
    const { positionals } = parseOptions(args, {}, [2, 2]);
    const [target, nameOrKey] = positionals as [string, string];
    await withServerFile(target, async (file) => {
      const { document, interfaceName, path } = file;
      const oldText = document.text;
      const peer = findPeer(document, nameOrKey);
      const key = peer.publicKeyText;
      const shownName = peer.name ?? key;
      document.removePeer(peer);

      const change = { ...newPeerChange(parseKey(key, 'public key')), isRemoval: true };
      const isRunning = await saveAndApply(context, file, oldText, { replacePeers: false, peers: [change] });
      const where = isRunning ? ' and of the running interface' : `; ${interfaceName} does not run`;
      context.io.writeError(`Took ${shownName} out of ${path}${where}.\n`);
    });
  },
});

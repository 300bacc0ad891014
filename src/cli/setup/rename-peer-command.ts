import { parseOptions } from '../device/command-options.js';
import { jsonOption, type Manual, PEER, TARGET } from '../manual.js';
import { writeJson } from './changed-peer.js';
import { editPeer, findPeer, peerLabel } from './file-peers.js';
import { refuseTakenName } from './new-peer-rules.js';
import { checkPeerName } from './option-values.js';
import { saveFile, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const OPTIONS = jsonOption('rename-peer');

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE NAME|KEY NEWNAME [--json]',
  about: `
Gives a peer of a file another name. Names are comments, so the running interface is not touched: keys, addresses and
sessions stay.
`,
  words: [TARGET, PEER, { name: 'NEWNAME' }],
  options: OPTIONS,
  examples: ['wiretype rename-peer wg0 phone "phone of Anna"'],
};

/** Gives a peer another name. */
export const renamePeer = setupCommand({
  name: 'rename-peer',
  manual: MANUAL,

  async runOn(_host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [3, 3], MANUAL.words);
    const [target, nameOrKey, word] = positionals as [string, string, string];
    const name = checkPeerName(word);
    await withServerFile(target, async (file) => {
      const { document, interfaceName, path } = file;
      const found = findPeer(document, nameOrKey);
      const { name: formerName = null, publicKeyText: publicKey } = found.peer;
      const former = peerLabel(found.peer);
      if (formerName !== name) {
        refuseTakenName(document, name);
        editPeer(document, found, (peer) => peer.rename(name));
        await saveFile(file);
      }
      context.io.writeError(`Renamed ${former} to ${name} in ${path}.\n`);
      if (values.json === true)
        writeJson(context, { interface: interfaceName, file: path, name, formerName, publicKey });
    });
  },
});

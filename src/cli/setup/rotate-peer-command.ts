import type { PeerSection } from '../../control/config/peer-section.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseOptions } from '../device/command-options.js';
import { addPeerSection } from '../device/config-change.js';
import { type Manual, PEER, TARGET } from '../manual.js';
import { clearChange } from '../wg/wg-change.js';
import type { WgContext } from '../wg/wg-context.js';
import { setKeys } from './add-client.js';
import { covers } from './address-range.js';
import { changedPeer, effectText, removalOf } from './changed-peer.js';
import { type ClientSettings, formatClientConfig } from './client-config.js';
import { ClientDelivery } from './client-delivery.js';
import { readClientNotes, writeClientNotes } from './client-notes.js';
import { CLIENT_OPTIONS, readClientWishes } from './client-options.js';
import { editPeer, type FilePeer, findPeer, peerLabel } from './file-peers.js';
import { type MadeClient, makeClient } from './make-client.js';
import { type HeldServerFile, isRunning, type ServerFile, saveAndApply, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const OPTIONS = {
  ...CLIENT_OPTIONS,
  json: {
    type: 'boolean',
    about: "the result and the client's file as JSON; schema/rotate-peer.json in the package describes it",
  },
} as const;

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE NAME|KEY [options]',
  about: `
Gives a client new keys and a new file, for a key that was lost, seen by others, or is old: the name, the addresses and
the options of add-peer stay unless options here change them. The old key is refused from that moment on.
`,
  words: [TARGET, PEER],
  options: OPTIONS,
  notes: "Only the delivered file or code holds the client's private key, as with add-peer.",
  examples: ['wiretype rotate-peer wg0 phone --qr', 'wiretype rotate-peer wg0 office --output office.conf --force'],
};

/** Gives a client new keys. */
export const rotatePeer = setupCommand({
  name: 'rotate-peer',
  manual: MANUAL,

  async runOn(host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [2, 2], MANUAL.words);
    const [target, nameOrKey] = positionals as [string, string];
    const wishes = readClientWishes(values);
    const delivery = new ClientDelivery(context, values);

    await withServerFile(target, async (file) => {
      const { document, path } = file;
      const found = findPeer(document, nameOrKey);
      const addresses = clientAddresses(file, found.peer);
      const notes = readClientNotes(found.peer, path);
      const hasPresharedKey = wishes.hasPresharedKey && found.peer.section.lastEntry('PresharedKey') !== undefined;
      const label = peerLabel(found.peer);
      const plan = { name: label, addresses, notes, wishes: { ...wishes, hasPresharedKey } };
      const made = makeClient(host, file, plan);
      const text = formatClientConfig(made.client);
      const config = delivery.isInFile ? null : text;
      await delivery.prepare(text, path, () => describe(context, file, found.peer, made.client, config));
      const hasTakenEffect = await delivery.complete(() => rotate(context, file, found, made));
      context.io.writeError(`Gave ${label} new keys in ${effectText(file, hasTakenEffect)}.\n`);
    });
  },
});

/** Describes a client whose keys are about to change. */
async function describe(
  context: WgContext,
  file: ServerFile,
  { name, publicKeyText }: PeerSection,
  { publicKey, addresses, endpoint }: ClientSettings,
  config: string | null,
): Promise<object> {
  const changed = changedPeer(file, name, publicKey, await isRunning(context, file));
  return { ...changed, formerPublicKey: publicKeyText, addresses, endpoint, config };
}

async function rotate(context: WgContext, file: HeldServerFile, found: FilePeer, made: MadeClient): Promise<boolean> {
  const { document } = file;
  const oldText = document.text;
  const change = removalOf(found.peer.publicKeyText);
  const { publicKey, presharedKey } = made.client;
  editPeer(document, found, (peer) => {
    setKeys(peer, publicKey, presharedKey);
    writeClientNotes(peer, made.notes);
  });
  try {
    const enabled = document.peer(publicKey); // a disabled peer is not in the running interface
    if (enabled !== undefined) await addPeerSection(context, enabled, change);
    return await saveAndApply(context, file, oldText, change);
  } finally {
    clearChange(change);
  }
}

/** Returns the single addresses of a peer in the server's subnets; its other ranges are networks behind it. */
function clientAddresses({ document, path }: ServerFile, peer: PeerSection): string[] {
  const subnets = document.interfaceSection?.addresses ?? [];
  const addresses = peer.allowedIps.filter((range) => {
    return range.prefixLength === 8 * range.address.length && subnets.some((subnet) => covers(subnet, range));
  });
  if (addresses.length > 0) return addresses.map(formatIpPrefix);
  throw new WireGuardError('ERR_NO_ADDRESS', `${path}: ${peerLabel(peer)} has no address in a subnet of the server`);
}

import { enablePeer as enableSection } from '../../control/config/disabled-peer.js';
import type { PeerSection } from '../../control/config/peer-section.js';
import { formatIpPrefix, networkOf } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseOptions } from '../device/command-options.js';
import { addPeerSection } from '../device/config-change.js';
import { jsonOption, type Manual, PEER, TARGET } from '../manual.js';
import { clearChange, type WgChange } from '../wg/wg-change.js';
import type { WgContext } from '../wg/wg-context.js';
import { changedPeer, effectText, writeJson } from './changed-peer.js';
import { expiryOf, formatExpiry, parseExpiry, setExpiry } from './expiry.js';
import { untimedNote } from './expiry-timer.js';
import { editPeer, findPeer, peerLabel } from './file-peers.js';
import { type HeldServerFile, type ServerFile, saveAndApply, withServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const OPTIONS = {
  expires: {
    type: 'string',
    value: 'TIME',
    about: 'disable the peer again after this time, as in add-peer; "never" for no end',
    choices: ['1d', '7d', '30d', 'never'],
  },
  ...jsonOption('enable-peer'),
} as const;

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE NAME|KEY [--expires TIME] [--json]',
  about: `
Lets a disabled peer in again, with the keys and addresses that it had: in the file and in the running interface. With
--expires it also changes when a peer expires, enabled or not.
`,
  words: [TARGET, PEER],
  options: OPTIONS,
  examples: ['wiretype enable-peer wg0 phone', 'wiretype enable-peer wg0 guest --expires 7d'],
};

/** Lets a disabled peer in again. */
export const enablePeer = setupCommand({
  name: 'enable-peer',
  manual: MANUAL,

  async runOn(_host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [2, 2], MANUAL.words);
    const [target, nameOrKey] = positionals as [string, string];
    const nowMs = context.unixTimeMs();
    const wanted = readExpiry(values.expires, nowMs);
    await withServerFile(target, async (file) => {
      const { document } = file;
      const oldText = document.text;
      if (wanted !== undefined)
        editPeer(document, findPeer(document, nameOrKey), (peer) => setExpiry(peer, wanted.timeMs));
      const found = findPeer(document, nameOrKey);
      refuseExpired(found.peer, file, nowMs);
      if (found.disabled !== undefined) refuseConflict(found.peer, file);
      const peer = found.disabled === undefined ? found.peer : enableSection(document, found.disabled);
      document.assertValid(); // the lines were comments so far

      const isRunning = await apply(context, file, oldText, peer);
      const expiryMs = expiryOf(peer, file.path);
      const until = expiryMs === undefined ? '' : `, until ${formatExpiry(expiryMs)}`;
      context.io.writeError(
        `${peerLabel(peer)} is enabled in ${effectText(file, isRunning)}${until}.\n${untimedNote(expiryMs)}`,
      );
      if (values.json !== true) return;
      const expires = expiryMs === undefined ? null : formatExpiry(expiryMs);
      writeJson(context, { ...changedPeer(file, peer.name, peer.publicKeyText, isRunning), expires });
    });
  },
});

async function apply(context: WgContext, file: HeldServerFile, oldText: string, peer: PeerSection): Promise<boolean> {
  const change: WgChange = { replacePeers: false, peers: [] };
  try {
    await addPeerSection(context, peer, change);
    return await saveAndApply(context, file, oldText, change);
  } finally {
    clearChange(change);
  }
}

/** @returns `undefined` if no time was given. */
function readExpiry(text: string | undefined, nowMs: number): { readonly timeMs: number | undefined } | undefined {
  if (text === undefined) return undefined;
  return { timeMs: text === 'never' ? undefined : parseExpiry(text, nowMs) };
}

function refuseExpired(peer: PeerSection, { path }: ServerFile, nowMs: number): void {
  const expiryMs = expiryOf(peer, path);
  if (expiryMs === undefined || expiryMs > nowMs) return;
  const label = peerLabel(peer);
  throw new WireGuardError(
    'ERR_VALUE',
    `${label} expired at ${formatExpiry(expiryMs)}: give a new time with --expires`,
  );
}

/** Refuses a peer whose key or addresses another peer has received meanwhile, by hand. */
function refuseConflict(peer: PeerSection, { document, path }: ServerFile): void {
  const rangesOf = ({ allowedIps }: PeerSection) => allowedIps.map((range) => formatIpPrefix(networkOf(range)));
  const ranges = new Set(rangesOf(peer));
  for (const other of document.peers) {
    if (other.publicKeyText === peer.publicKeyText) {
      throw new WireGuardError('ERR_PEER', `${path}: the peer ${peerLabel(other)} has the same key`);
    }
    const shared = rangesOf(other).find((range) => ranges.has(range));
    if (shared === undefined) continue;
    throw new WireGuardError('ERR_PEER', `${path}: ${shared} now belongs to the peer ${peerLabel(other)}`);
  }
}

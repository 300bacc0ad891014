import type { ConfigDocument } from '../../control/config/config-document.js';
import { type DisabledPeer, disabledPeers, disablePeer, enablePeer } from '../../control/config/disabled-peer.js';
import type { PeerSection } from '../../control/config/peer-section.js';
import { printable, quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';

/** A peer of a file, enabled or disabled. */
export interface FilePeer {
  readonly peer: PeerSection;
  /** `undefined`: the peer is enabled. */
  readonly disabled: DisabledPeer | undefined;
}

/** Returns all peers of a file, in its order. */
export function filePeers(document: ConfigDocument): FilePeer[] {
  const disabled = new Map(disabledPeers(document).map((found) => [found.section, found]));
  const enabled = new Map(document.peers.map((peer) => [peer.section, peer]));
  return document.sections.flatMap((section): FilePeer[] => {
    const found = disabled.get(section);
    const peer = found?.peer ?? enabled.get(section);
    return peer === undefined ? [] : [{ peer, disabled: found }];
  });
}

/** Finds a peer by its name or its public key. @throws {WireGuardError} ERR_PEER */
export function findPeer(document: ConfigDocument, nameOrKey: string): FilePeer {
  const peers = filePeers(document);
  const found = peers.filter(({ peer }) => peer.name === nameOrKey || peer.publicKeyText === nameOrKey);
  if (found.length === 1) return found[0]!;
  const why = found.length === 0 ? 'has no peer' : `has ${found.length} peers`;
  const hint = found.length === 0 ? suggestName(peers, nameOrKey) : '; name one of them by its public key';
  throw new WireGuardError('ERR_PEER', `${document.fileName} ${why} ${quoteKey(nameOrKey)}${hint}`);
}

/** Changes a peer, which stays disabled if it is. */
export function editPeer(
  document: ConfigDocument,
  { peer, disabled }: FilePeer,
  edit: (peer: PeerSection) => void,
): void {
  if (disabled === undefined) {
    edit(peer);
    return;
  }
  const enabled = enablePeer(document, disabled);
  edit(enabled);
  disablePeer(document, enabled);
}

/** Names a peer in a message: by its name, else by its public key. */
export function peerLabel({ name, publicKeyText }: PeerSection): string {
  return name === undefined ? publicKeyText : printable(name);
}

/** Suggests a name that differs in case or accents, or continues the typed text. */
function suggestName(peers: readonly FilePeer[], typed: string): string {
  const wanted = simplify(typed);
  const names = peers.flatMap(({ peer }) => (peer.name === undefined ? [] : [peer.name]));
  const similar =
    names.find((name) => simplify(name) === wanted) ?? names.find((name) => simplify(name).startsWith(wanted));
  return similar === undefined || wanted === '' ? '' : `; did you mean ${quote(similar)}?`;
}

function simplify(name: string): string {
  return name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Quotes a name. A public key stays visible: it is no secret, but looks like one. */
function quoteKey(text: string): string {
  return /^[A-Za-z0-9+/]{43}=$/.test(text) ? text : quote(text);
}

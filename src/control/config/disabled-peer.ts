import type { ConfigDocument } from './config-document.js';
import { parseLine } from './config-line.js';
import { ConfigSection } from './config-section.js';
import { disableLine, enableLine, isDisabledLine } from './disabled-lines.js';
import { parseConfig } from './parse-config.js';
import type { PeerSection } from './peer-section.js';

/**
 * A peer that is kept in the file as comments, which stock tools ignore. The mark `#-` precedes each of its lines:
 *
 * ```text
 * #- [Peer]
 * #- # Name = phone
 * #- PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
 * #- AllowedIPs = 10.66.0.2/32
 * ```
 */
export interface DisabledPeer {
  /** The comment lines. */
  readonly section: ConfigSection;
  /** The peer that the comment lines describe. */
  readonly peer: PeerSection;
}

/** Returns the disabled peers of a file, in its order. */
export function disabledPeers(document: ConfigDocument): DisabledPeer[] {
  return document.sections
    .filter(({ isDisabledPeer }) => isDisabledPeer)
    .map((section) => ({ section, peer: parseConfig(enableText(section), document.fileName).peers[0]! }));
}

/** Turns a peer, with the comment above it, into comments. Blank lines behind the peer are unchanged. */
export function disablePeer(document: ConfigDocument, { section }: PeerSection): void {
  const raws = [...section.lines()].map(({ raw }) => raw);
  let end = raws.length;
  while (end > 0 && raws[end - 1]!.trim() === '') end--;
  const [header, ...body] = raws.map((raw, i) => parseLine(i < end ? disableLine(raw) : raw));
  document.replaceSection(section, [new ConfigSection([], header!, body, lineEndOf(section))]);
}

/** Turns comments into a peer again, in place. @returns The peer. */
export function enablePeer(document: ConfigDocument, { section }: DisabledPeer): PeerSection {
  const sections = parseConfig(enableText(section), document.fileName).sections;
  document.replaceSection(section, sections);
  return document.peers.find((peer) => peer.section === sections[0])!;
}

function enableText(section: ConfigSection): string {
  return [...section.lines()].map(({ raw }) => (isDisabledLine(raw) ? enableLine(raw) : raw)).join('');
}

function lineEndOf(section: ConfigSection): string {
  return section.header.raw.endsWith('\r\n') ? '\r\n' : '\n';
}

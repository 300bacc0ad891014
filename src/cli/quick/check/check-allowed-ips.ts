import type { ConfigDocument, ConfigLine, PeerSection } from '../../../control/config/index.js';
import { parseAllowedIps } from '../../../control/config/peer-values.js';
import { formatIpPrefix } from '../../../control/ip-text.js';
import type { IpPrefix } from '../../../core/configuration.js';
import { maskHostBits } from '../mask-host-bits.js';
import type { Findings } from './finding.js';

/** An item of AllowedIPs, and its place in the file. */
interface Claim {
  readonly prefix: IpPrefix;
  readonly text: string;
  readonly peer: PeerSection;
  readonly line: ConfigLine;
}

/**
 * Finds allowed IPs of one peer that another peer also has, or that lie inside those of another peer.
 *
 * Once sorted, a range stands right before everything inside it, so that one pass with a stack finds all nestings.
 */
export function checkAllowedIps(document: ConfigDocument, findings: Findings): void {
  const outer: Claim[] = [];
  for (const claim of document.peers.flatMap(readClaims).sort(compareClaims)) {
    while (outer.length > 0 && !contains(outer.at(-1)!.prefix, claim.prefix)) outer.pop();
    // A default route takes what no other peer takes, so that lying inside it is no finding.
    const around = outer.findLast((other) => !isSamePeer(other, claim) && other.prefix.prefixLength > 0);
    const same = outer.findLast((other) => !isSamePeer(other, claim) && other.text === claim.text);
    if (same !== undefined) warnOfSame(same, claim, findings);
    else if (around !== undefined) warnOfNesting(around, claim, findings);
    outer.push(claim);
  }
}

/** Tests whether two sections name one peer, which is reported elsewhere. */
function isSamePeer({ peer: a }: Claim, { peer: b }: Claim): boolean {
  return a === b || (a.publicKeyText !== '' && a.publicKeyText === b.publicKeyText);
}

function warnOfSame(a: Claim, b: Claim, findings: Findings): void {
  const [first, last] = findings.numberOf(a.line) < findings.numberOf(b.line) ? [a, b] : [b, a];
  findings.warn(
    last.line,
    `${last.text} is also given to the peer of line ${findings.numberOf(first.line)}`,
    'Only one peer can have it, and this one will: remove it from one of the two.',
    last.text,
  );
}

function warnOfNesting(around: Claim, inside: Claim, findings: Findings): void {
  findings.warn(
    inside.line,
    `${inside.text} lies inside ${around.text} of line ${findings.numberOf(around.line)}`,
    'This peer gets it, since the more specific one wins. That is right if the other one is a relay.',
    inside.text,
  );
}

function readClaims(peer: PeerSection): Claim[] {
  return peer.section.entries('AllowedIPs').flatMap((line) => {
    const items = parseAllowedIps(line.value, () => {}) ?? [];
    return items
      .filter(({ isRemoval }) => !isRemoval)
      .map((item) => {
        const prefix = maskHostBits(item);
        return { prefix, text: formatIpPrefix(prefix), peer, line };
      });
  });
}

function compareClaims({ prefix: a }: Claim, { prefix: b }: Claim): number {
  return a.address.length - b.address.length || Buffer.compare(a.address, b.address) || a.prefixLength - b.prefixLength;
}

/** Tests whether `outer` contains `inner`; both are masked. */
function contains(outer: IpPrefix, inner: IpPrefix): boolean {
  if (outer.address.length !== inner.address.length || outer.prefixLength > inner.prefixLength) return false;
  const { address } = maskHostBits({ address: inner.address, prefixLength: outer.prefixLength });
  return Buffer.compare(address, outer.address) === 0;
}

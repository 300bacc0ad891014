import { parseAddresses } from '../../../control/config/config-values.js';
import type { ConfigDocument, ConfigLine } from '../../../control/config/index.js';
import { parseAllowedIps } from '../../../control/config/peer-values.js';
import { formatIpAddress } from '../../../control/ip-text.js';
import type { Findings } from './finding.js';

/** Finds addresses of the interface that are written twice, or that a peer has. */
export function checkAddresses(document: ConfigDocument, findings: Findings): void {
  const own = new Map<string, ConfigLine>();
  for (const line of interfaceEntries(document, 'Address')) {
    for (const { address, text } of parseAddresses(line.value, () => {}) ?? []) {
      const key = formatIpAddress(address);
      const first = own.get(key);
      if (first === undefined) own.set(key, line);
      else {
        const number = findings.numberOf(first);
        findings.warn(line, `line ${number} already has the address ${key}`, 'Write it once.', text);
      }
    }
  }
  if (own.size === 0) return;
  for (const { section } of document.peers) {
    for (const line of section.entries('AllowedIPs')) checkTaken(line, own, findings);
  }
}

function checkTaken(line: ConfigLine, own: ReadonlyMap<string, ConfigLine>, findings: Findings): void {
  for (const { address, prefixLength, text } of parseAllowedIps(line.value, () => {}) ?? []) {
    const owner = prefixLength === 8 * address.length ? own.get(formatIpAddress(address)) : undefined;
    if (owner === undefined) continue;
    findings.warn(
      line,
      `${text} is the address of this interface itself (line ${findings.numberOf(owner)})`,
      'AllowedIPs are the addresses of the other side.',
      text,
    );
  }
}

/** Returns the lines of a key in [Interface]. */
export function interfaceEntries(document: ConfigDocument, key: string): ConfigLine[] {
  return document.sections.filter(({ kind }) => kind === 'interface').flatMap((section) => section.entries(key));
}

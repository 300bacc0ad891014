import type { ConfigDocument } from '../../../control/config/index.js';
import { formatKey } from '../../../control/key-text.js';
import { WireGuardError } from '../../../core/errors.js';
import { publicKeyOf } from '../../wg/key-pair.js';
import { interfaceEntries } from './check-addresses.js';
import type { Findings } from './finding.js';

/** Finds a missing private key, and a peer that is the interface itself. */
export function checkKeys(document: ConfigDocument, findings: Findings): void {
  const header = document.sections.find(({ kind }) => kind === 'interface')?.header;
  if (header === undefined) {
    findings.warnOfFile('there is no [Interface] section', 'Add one with a PrivateKey: wiretype genkey makes a key.');
    return;
  }
  if (interfaceEntries(document, 'PrivateKey').length === 0) {
    if (isSetByHook(document)) return;
    const advice = 'Add a PrivateKey (wiretype genkey makes one), or a hook that sets it.';
    findings.warn(header, 'the interface has no PrivateKey: no peer can talk to it', advice);
    return;
  }
  const own = readPublicKey(document);
  const itself = document.peers.find(({ publicKeyText }) => publicKeyText === own);
  if (itself === undefined) return;
  const advice = 'PublicKey is the key of the other side: wiretype pubkey shows the one of this side.';
  findings.error(itself.section.lastEntry('PublicKey')!, 'this is the public key of the interface itself', advice);
}

function isSetByHook(document: ConfigDocument): boolean {
  const hooks = ['PreUp', 'PostUp'].flatMap((name) => interfaceEntries(document, name));
  return hooks.some(({ value }) => value.includes('private-key'));
}

/** @returns `undefined` if the private key is malformed, which is reported elsewhere. */
function readPublicKey(document: ConfigDocument): string | undefined {
  try {
    const privateKey = document.interfaceSection?.privateKey;
    if (privateKey === undefined) return undefined;
    try {
      return formatKey(publicKeyOf(privateKey));
    } finally {
      privateKey.fill(0);
    }
  } catch (error) {
    if (error instanceof WireGuardError) return undefined;
    throw error;
  }
}

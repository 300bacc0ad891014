import { parseIpPrefix } from '../../control/ip-text.js';
import { contains } from './ip-prefixes.js';

/**
 * Addresses that lead to this host itself, to its link (there are the metadata services of clouds), or to many hosts at once.
 *
 * Source: RFC 6890 §2.2.2, §2.2.3; RFC 5771; RFC 4291 §2.7.
 */
const OWN_PREFIXES = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/127',
  'fe80::/10',
  'ff00::/8',
].map((text) => parseIpPrefix(text)!);

/** Tests whether only a rule that names an address may send connections there without a tunnel. */
export function isOwnAddress(address: Uint8Array): boolean {
  return OWN_PREFIXES.some((prefix) => contains(prefix, address));
}

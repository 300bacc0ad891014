import { quote } from '../../control/config/secret-text.js';
import { parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseName } from './host-name.js';
import type { Rule, RuleMatch, Way } from './rule.js';

/** `HOST`, `HOST:PORT`, `HOST:PORT-PORT`. A host with colons of its own stands in brackets if a port follows. */
const MATCH = /^(?:\[([^\]]*)\]|([^:[\]]+|[^[\]]*:[^[\]]*:[^[\]]*?))(?::([0-9]{1,5})(?:-([0-9]{1,5}))?)?$/;
const BRACKETED_WITHOUT_PORT = /^[0-9A-Fa-f:.]+(?:\/[0-9]{1,3})?$/;
const MAX_PORT = 65_535;

/**
 * Reads a rule: `MATCH WAY`, such as `*.example.com direct`, `10.0.0.0/8:22 office` or `[2001:db8::/32]:80-443 block`.
 *
 * MATCH is a domain (which also matches all names below it), a CIDR, an address, or `*`; a port or a range of ports may follow.
 * WAY is `direct`, `block`, or the name of a tunnel.
 *
 * @throws {WireGuardError} ERR_VALUE
 */
export function parseRule(text: string): Rule {
  const words = text.trim().split(/\s+/);
  const [match, way] = words;
  if (match === undefined || way === undefined || words.length !== 2)
    throw invalid(text, 'a rule is MATCH WAY, such as "*.example.com direct"');
  return { match: parseMatch(match, text), way: parseWay(way), text: `${match} ${way}` };
}

function parseWay(word: string): Way {
  const kind = word.toLowerCase();
  return kind === 'direct' || kind === 'block' ? { kind } : { kind: 'tunnel', tunnel: word };
}

function parseMatch(word: string, text: string): RuleMatch {
  const { host, first, last } = splitPorts(word, text);
  const ports = first === undefined ? {} : { ports: parsePorts(first, last, text) };
  if (host === '*') return ports;
  const prefix = parseIpPrefix(host) ?? wholeAddress(host);
  if (prefix !== undefined) return { prefix, ...ports };
  if (host.includes('/') || host.includes(':'))
    throw invalid(text, `${quote(host)} is not a CIDR or an address, such as 10.0.0.0/8 or 2001:db8::/32`);
  const domain = parseName(host.startsWith('*.') ? host.slice(2) : host);
  if (domain === undefined || domain.includes('*'))
    throw invalid(text, `${quote(host)} is not a domain; "*" stands alone, or in front as in *.example.com`);
  if (/^[0-9.]+$/.test(domain)) throw invalid(text, `${quote(host)} is not an IPv4 address`);
  return { domain, ...ports };
}

function splitPorts(word: string, text: string): { host: string; first: string | undefined; last: string | undefined } {
  // Without brackets all colons belong to an IPv6 address.
  if (BRACKETED_WITHOUT_PORT.test(word) && word.split(':').length > 2)
    return { host: word, first: undefined, last: undefined };
  const [whole, bracketed, plain, first, last] = MATCH.exec(word) ?? [];
  const host = bracketed ?? plain;
  if (whole === undefined || host === undefined || host === '')
    throw invalid(text, `${quote(word)} is not HOST[:PORT[-PORT]]; an IPv6 address with a port stands in brackets`);
  return { host, first, last };
}

function parsePorts(first: string, last: string | undefined, text: string): { first: number; last: number } {
  const ports = { first: Number(first), last: Number(last ?? first) };
  if (ports.first >= 1 && ports.last <= MAX_PORT && ports.first <= ports.last) return ports;
  throw invalid(text, `ports are from 1 to ${MAX_PORT}, the lower one first`);
}

function wholeAddress(text: string): RuleMatch['prefix'] {
  const address = parseIpAddress(text);
  return address && { address, prefixLength: 8 * address.length };
}

function invalid(text: string, problem: string): WireGuardError {
  return new WireGuardError('ERR_VALUE', `the rule ${quote(text)} cannot be read: ${problem}`);
}

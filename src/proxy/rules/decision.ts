import type { Host } from './host-name.js';
import { isWithinDomain } from './host-name.js';
import { contains } from './ip-prefixes.js';
import type { Rule, RuleMatch } from './rule.js';

/** The index of the rule that decides; -1 if none matches. */
export type Decision = number;

/**
 * Decides by the name alone, before any lookup.
 *
 * @returns `undefined` if a rule with a prefix comes first: then the addresses of the name have to be known.
 */
export function decideByName(rules: readonly Rule[], name: string, port: number): Decision | undefined {
  for (const [i, { match }] of rules.entries()) {
    if (!mayMatch(match, name, port)) continue;
    return match.prefix === undefined ? i : undefined;
  }
  return -1;
}

/** Decides by the name as if there were no rules with prefixes: this way looks the name up. */
export function decideLookup(rules: readonly Rule[], name: string, port: number): Decision {
  return rules.findIndex(({ match }) => match.prefix === undefined && mayMatch(match, name, port));
}

/** Decides where the address is known. `name` is the name that led to it, if there is one. */
export function decideByAddress(
  rules: readonly Rule[],
  name: string | undefined,
  { address }: Host,
  port: number,
): Decision {
  return rules.findIndex(
    ({ match }) => mayMatch(match, name, port) && (match.prefix === undefined || contains(match.prefix, address!)),
  );
}

/** Tests all but the prefix. */
function mayMatch({ domain, ports }: RuleMatch, name: string | undefined, port: number): boolean {
  if (ports !== undefined && (port < ports.first || port > ports.last)) return false;
  return domain === undefined || (name !== undefined && isWithinDomain(name, domain));
}

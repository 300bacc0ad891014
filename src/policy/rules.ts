import type { AccessRule, Decision, Flow, Subject, Target } from './access.js';
import type { DeviceState } from './device-state.js';
import type { Place } from './places.js';
import { covers } from './prefix.js';

/** A rule with the decision that it makes. */
export interface PreparedRule {
  readonly rule: AccessRule;
  /** Counts from 1, as people do. */
  readonly number: number;
  readonly decision: Decision;
}

/** A flow with what is known of its two ends. */
export interface KnownFlow {
  readonly flow: Flow;
  readonly device: DeviceState | undefined;
  readonly place: Place;
}

export function prepareRules(rules: readonly AccessRule[]): PreparedRule[] {
  return rules.map((rule, index) => ({
    rule,
    number: index + 1,
    decision: { isAllowed: rule.action === 'allow', reason: 'rule', rule: rule.id },
  }));
}

/** Finds the first rule that matches. */
export function firstMatch(rules: readonly PreparedRule[], known: KnownFlow): PreparedRule | undefined {
  return rules.find(({ rule }) => matches(rule, known));
}

/**
 * Finds what the rules say about an address that is denied by default: the rule with the longest prefix, a denial before
 * a permission of the same length, in whatever order they stand.
 *
 * The range that the address is in counts as a denial, too, so that a permission has to be as long as that range:
 * `0.0.0.0/0` does not open 127.0.0.0/8. A denial of another reading of the address than the one that decided is final.
 *
 * @returns `undefined`: no rule speaks about it.
 */
export function longestPrefixRule(rules: readonly PreparedRule[], known: KnownFlow): PreparedRule | undefined {
  const { place } = known;
  let longest: PreparedRule | undefined;
  let longestLength = place.prefixLength - 1;
  const isFirstDenial = ({ rule }: PreparedRule, length: number): boolean =>
    length === longestLength && rule.action === 'deny' && longest?.rule.action !== 'deny';
  for (const prepared of rules) {
    const { rule } = prepared;
    if (rule.to.kind !== 'prefix' || !matches(rule, known)) continue;
    const { prefix } = rule.to;
    const isDenial = rule.action === 'deny';
    if (!covers(prefix, place.decidedBy)) {
      if (isDenial) return prepared;
    } else if (prefix.prefixLength > longestLength || isFirstDenial(prepared, prefix.prefixLength)) {
      longest = prepared;
      longestLength = prefix.prefixLength;
    }
  }
  return longest;
}

function matches({ action, from, to, protocol, ports }: AccessRule, { flow, device, place }: KnownFlow): boolean {
  if (protocol !== undefined && protocol !== flow.protocol) return false;
  if (ports !== undefined && (!hasPorts(flow) || flow.port < ports.first || flow.port > ports.last)) return false;
  return isSubject(from, device) && isTarget(to, place, action === 'deny');
}

function hasPorts({ protocol }: Flow): boolean {
  return protocol === 'tcp' || protocol === 'udp';
}

function isSubject(subject: Subject, device: DeviceState | undefined): boolean {
  switch (subject.kind) {
    case 'everyone':
      return true;
    case 'device':
      return device?.device.id === subject.device;
    case 'tag':
      return device?.device.tags.includes(subject.tag) === true;
  }
}

/**
 * A prefix permits the address that decided about the place, and denies each way to read it: `::/0` does not open the IPv4
 * addresses of the LAN by way of 6to4, and 10.0.0.0/8 denies them by that way, too.
 */
function isTarget(target: Target, place: Place, isDenial: boolean): boolean {
  switch (target.kind) {
    case 'anything':
      return place.kind !== 'gateway';
    case 'internet':
    case 'lan':
    case 'gateway':
      return place.kind === target.kind;
    case 'prefix':
      return isDenial
        ? place.addresses.some((address) => covers(target.prefix, address))
        : covers(target.prefix, place.decidedBy);
    default:
      return place.kind === 'device' && isSubject(target, place.device);
  }
}

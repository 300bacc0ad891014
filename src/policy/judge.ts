/** The decision about a flow, in the order in which the reasons count. Pure: state comes in, nothing is changed. */
import type { Decision, Switches } from './access.js';
import type { DeniedClass, PlaceKind } from './places.js';
import { firstMatch, type KnownFlow, longestPrefixRule, type PreparedRule } from './rules.js';

const GATEWAY: Decision = { isAllowed: true, reason: 'gateway' };
const UNKNOWN_DEVICE: Decision = { isAllowed: false, reason: 'unknown-device' };

/**
 * Decides about a flow.
 *
 * 1. A device that is unknown, blocked, expired or out of quota reaches the gateway's own addresses at most, and no other
 *    device reaches it. The rules about the gateway still hold, so that blocking a device never gives it more.
 * 2. What is denied by default needs a rule that opens it by a prefix. Such a rule is not enough: the first rule that
 *    matches must allow the flow as well.
 * 3. The first rule that matches.
 * 4. The gateway's own addresses are open; the switches of the device decide about all else.
 */
export function judge(rules: readonly PreparedRule[], known: KnownFlow, nowMs: number): Decision {
  const { device, place } = known;
  if (place.kind === 'gateway') return firstMatch(rules, known)?.decision ?? GATEWAY;
  if (device === undefined) return UNKNOWN_DEVICE;
  const standing = device.standingAt(nowMs);
  if (standing !== 'good') return { isAllowed: false, reason: standing };
  const otherStanding = place.device?.standingAt(nowMs) ?? 'good';
  if (otherStanding !== 'good')
    return { isAllowed: false, reason: otherStanding, otherDevice: place.device!.device.id };

  if (isDeniedByDefault(place.kind)) {
    const opening = longestPrefixRule(rules, known);
    if (opening === undefined) return { isAllowed: false, reason: place.kind };
    if (!opening.decision.isAllowed) return opening.decision;
  }
  return firstMatch(rules, known)?.decision ?? bySwitch(device.device.switches, place.kind);
}

function isDeniedByDefault(kind: PlaceKind): kind is DeniedClass {
  return kind === 'not-unicast' || kind === 'this-host' || kind === 'metadata' || kind === 'link-local';
}

/** @param kind What is denied by default has found a rule, and does not come here. */
function bySwitch(switches: Switches, kind: PlaceKind): Decision {
  const name = kind === 'lan' ? 'lan' : kind === 'device' ? 'devices' : 'internet';
  return { isAllowed: switches[name], reason: 'switch', switch: name };
}

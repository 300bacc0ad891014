import { formatIpAddress } from '../wire/address-text.js';
import type { Decision, Flow } from './access.js';
import type { PlaceKind } from './places.js';
import type { KnownFlow, PreparedRule } from './rules.js';

/**
 * A decision with all that a sentence about it needs, such as "phone → 192.168.1.10:22 is denied by rule 3". The code of
 * the sentence is `reason`; names of devices are the reader's to look up.
 */
export interface Explanation extends Decision {
  /** Id of the device that begins the flow. */
  readonly device: string;
  readonly protocol: Flow['protocol'];
  /** The address as text. */
  readonly destination: string;
  /** Absent where the protocol has no ports. */
  readonly port?: number;
  readonly place: PlaceKind;
  /** Absent unless the destination is an address of a device. */
  readonly destinationDevice?: string;
  /** The IPv4 address inside of an IPv6 destination, where that one decided. */
  readonly innerDestination?: string;
  /** Where a rule decided: its place in the list, from 1. */
  readonly ruleNumber?: number;
}

export function explanationOf(known: KnownFlow, decision: Decision, rules: readonly PreparedRule[]): Explanation {
  const { flow, place } = known;
  const ruleNumber = rules.find(({ rule }) => rule.id === decision.rule)?.number;
  const isInner = place.decidedBy.length !== flow.destination.length;
  return {
    ...decision,
    device: flow.device,
    protocol: flow.protocol,
    destination: formatIpAddress(flow.destination),
    place: place.kind,
    ...(flow.protocol === 'tcp' || flow.protocol === 'udp' ? { port: flow.port } : {}),
    ...(place.device === undefined ? {} : { destinationDevice: place.device.device.id }),
    ...(isInner ? { innerDestination: formatIpAddress(place.decidedBy) } : {}),
    ...(decision.rule === undefined || ruleNumber === undefined ? {} : { ruleNumber }),
  };
}

import { parseIpAddress } from '../../control/ip-text.js';
import type { GatewayDevice } from '../../gateway/gateway-model.js';
import type { AccessRule, Subject, Target } from '../../policy/access.js';
import { covers } from '../../policy/prefix.js';

/**
 * Visibility between nodes: two of them know each other if either may begin any connection to the other. A node that may not see another
 * one gets neither its record nor a message of it.
 */
export class Visibility {
  readonly #devices: ReadonlyMap<string, GatewayDevice>;
  readonly #rules: readonly AccessRule[];
  readonly #neighbours = new Map<string, readonly string[]>();
  readonly #all: readonly string[];
  readonly #isOpen: boolean;

  constructor(devices: ReadonlyMap<string, GatewayDevice>, rules: readonly AccessRule[]) {
    this.#devices = devices;
    this.#rules = rules;
    this.#all = [...devices.keys()];
    this.#isOpen = rules.length === 0 && [...devices.values()].every(({ switches }) => switches.devices);
  }

  /** All nodes that a node sees; itself may be among them. */
  neighbours(id: string): readonly string[] {
    if (this.#isOpen) return this.#all;
    const known = this.#neighbours.get(id);
    if (known !== undefined) return known;
    const found = this.#all.filter((other) => other !== id && this.sees(id, other));
    this.#neighbours.set(id, found);
    return found;
  }

  sees(a: string, b: string): boolean {
    const [one, other] = [this.#devices.get(a), this.#devices.get(b)];
    if (one === undefined || other === undefined) return false;
    return this.#isOpen || this.#mayBegin(one, other) || this.#mayBegin(other, one);
  }

  /** The rules that can concern a node. */
  rulesOf(id: string): readonly AccessRule[] {
    const device = this.#devices.get(id);
    if (device === undefined) return [];
    return this.#rules.filter(({ from, to }) => isAbout(from, device) || isTarget(to, device));
  }

  /** Goes through the rules in order. A rule for some ports leaves the others to the next rule. */
  #mayBegin(from: GatewayDevice, to: GatewayDevice): boolean {
    for (const rule of this.#rules) {
      if (!isAbout(rule.from, from) || !isTarget(rule.to, to)) continue;
      if (rule.action === 'allow') return true;
      if (rule.protocol === undefined && rule.ports === undefined) return false;
    }
    return from.switches.devices;
  }
}

function isAbout(subject: Subject, device: GatewayDevice): boolean {
  if (subject.kind === 'everyone') return true;
  return subject.kind === 'device' ? subject.device === device.id : device.tags.includes(subject.tag);
}

function isTarget(target: Target, device: GatewayDevice): boolean {
  switch (target.kind) {
    case 'anything':
      return true;
    case 'prefix':
      return device.addresses.some((address) => covers(target.prefix, parseIpAddress(address)!));
    case 'everyone':
    case 'device':
    case 'tag':
      return isAbout(target, device);
    case 'internet':
    case 'lan':
    case 'gateway':
      return false;
  }
}

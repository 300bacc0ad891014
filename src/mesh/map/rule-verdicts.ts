import { parseIpAddress } from '../../control/ip-text.js';
import type { GatewayDevice } from '../../gateway/gateway-model.js';
import type { AccessRule, Subject, Target } from '../../policy/access.js';
import { covers } from '../../policy/prefix.js';

/**
 * The verdicts of rules on which node may begin anything with which, whatever the port.
 *
 * Nodes that the rules cannot tell apart are of one kind, and a verdict is found once for two kinds: a company of thousands has as
 * many kinds as it has groups.
 */
export class RuleVerdicts {
  readonly rules: readonly AccessRule[];
  /** A node that changes is another object. */
  readonly #kinds = new WeakMap<GatewayDevice, number>();
  readonly #numbers = new Map<string, number>();
  /** By kind of the one that begins, and kind of the other. */
  readonly #verdicts: Map<number, boolean>[] = [];

  constructor(rules: readonly AccessRule[]) {
    this.rules = rules;
  }

  mayBegin(from: GatewayDevice, to: GatewayDevice): boolean {
    const verdicts = this.#verdicts[this.#kindOf(from)]!;
    const kind = this.#kindOf(to);
    const known = verdicts.get(kind);
    if (known !== undefined) return known;
    const verdict = this.#judge(from, to);
    verdicts.set(kind, verdict);
    return verdict;
  }

  /** The rules that can concern a node. */
  rulesOf(device: GatewayDevice): readonly AccessRule[] {
    return this.rules.filter(({ from, to }) => isAbout(from, device) || isTarget(to, device));
  }

  #kindOf(device: GatewayDevice): number {
    const known = this.#kinds.get(device);
    if (known !== undefined) return known;
    const matches = this.rules.map(({ from, to }) => 2 * Number(isAbout(from, device)) + Number(isTarget(to, device)));
    const name = `${device.switches.devices} ${matches.join('')}`;
    const kind = this.#numbers.get(name) ?? this.#verdicts.push(new Map()) - 1;
    this.#numbers.set(name, kind);
    this.#kinds.set(device, kind);
    return kind;
  }

  /** Goes through the rules in order. A rule for some ports leaves the others to the next rule. */
  #judge(from: GatewayDevice, to: GatewayDevice): boolean {
    for (const rule of this.rules) {
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

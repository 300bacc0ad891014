import type { GatewayDevice } from '../../gateway/gateway-model.js';
import type { AccessRule } from '../../policy/access.js';
import { RuleVerdicts } from './rule-verdicts.js';

/**
 * Visibility between nodes: two of them know each other if either may begin any connection to the other. A node that may not see another
 * one gets neither its record nor a message of it.
 */
export class Visibility {
  readonly #devices: ReadonlyMap<string, GatewayDevice>;
  readonly #neighbours = new Map<string, readonly string[]>();
  #verdicts = new RuleVerdicts([]);
  #all: readonly string[] = [];
  #isOpen = true;

  /** @param devices By id. `changed` is to be called before the first question, and after each change of them. */
  constructor(devices: ReadonlyMap<string, GatewayDevice>) {
    this.#devices = devices;
  }

  /** Nodes or rules are other ones now. The same array is the same rules, whose verdicts stay. */
  changed(rules: readonly AccessRule[]): void {
    if (rules !== this.#verdicts.rules) this.#verdicts = new RuleVerdicts(rules);
    this.#neighbours.clear();
    this.#all = [...this.#devices.keys()];
    this.#isOpen = rules.length === 0 && [...this.#devices.values()].every(({ switches }) => switches.devices);
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
    return one !== undefined && other !== undefined && this.seeEachOther(one, other);
  }

  /** The same of devices, which need not be among the present ones. */
  seeEachOther(one: GatewayDevice, other: GatewayDevice): boolean {
    return this.#isOpen || this.#verdicts.mayBegin(one, other) || this.#verdicts.mayBegin(other, one);
  }

  /** The rules that can concern a node. */
  rulesOf(id: string): readonly AccessRule[] {
    const device = this.#devices.get(id);
    return device === undefined ? [] : this.#verdicts.rulesOf(device);
  }
}

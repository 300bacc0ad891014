import type { Decision, DecisionReason } from './access.js';

/** How many flows were decided about in one way. */
export interface DecisionCount {
  allowed: number;
  denied: number;
}

/** Counts decisions per reason and per rule. */
export class DecisionCounts {
  readonly #reasons = new Map<DecisionReason, DecisionCount>();
  readonly #rules = new Map<string, DecisionCount>();

  get reasons(): ReadonlyMap<DecisionReason, Readonly<DecisionCount>> {
    return this.#reasons;
  }

  /** By id of the rule. */
  get rules(): ReadonlyMap<string, Readonly<DecisionCount>> {
    return this.#rules;
  }

  count(decision: Decision): void {
    add(this.#reasons, decision.reason, decision.isAllowed);
    if (decision.rule !== undefined) add(this.#rules, decision.rule, decision.isAllowed);
  }

  /** Forgets the rules that are gone. */
  keepRules(ids: ReadonlySet<string>): void {
    for (const id of this.#rules.keys()) if (!ids.has(id)) this.#rules.delete(id);
  }
}

function add<Key>(counts: Map<Key, DecisionCount>, key: Key, isAllowed: boolean): void {
  const count = counts.get(key) ?? { allowed: 0, denied: 0 };
  if (isAllowed) count.allowed++;
  else count.denied++;
  counts.set(key, count);
}

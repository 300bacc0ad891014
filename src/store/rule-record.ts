import { formatIpPrefix, parseIpPrefix } from '../control/ip-text.js';
import type { AccessRule, Target } from '../policy/access.js';

type PrefixTarget = Extract<Target, { kind: 'prefix' }>;

/** A target as JSON: a prefix is text, such as `10.0.0.0/8`. */
export type TargetRecord = Exclude<Target, PrefixTarget> | { readonly kind: 'prefix'; readonly prefix: string };

/** A rule as JSON, in the database and in the declarative file. */
export type RuleRecord = Omit<AccessRule, 'to'> & { readonly to: TargetRecord };

export function recordOfRule(rule: AccessRule): RuleRecord {
  const { to } = rule;
  return to.kind === 'prefix'
    ? { ...rule, to: { kind: 'prefix', prefix: formatIpPrefix(to.prefix) } }
    : { ...rule, to };
}

/** @returns `undefined`: the text of its prefix is none. */
export function ruleOfRecord(record: RuleRecord): AccessRule | undefined {
  const { to } = record;
  if (to.kind !== 'prefix') return { ...record, to };
  const prefix = parseIpPrefix(to.prefix);
  return prefix === undefined ? undefined : { ...record, to: { kind: 'prefix', prefix } };
}

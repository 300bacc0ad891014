import * as v from 'valibot';

import { formatIpPrefix, parseIpPrefix } from '../../control/ip-text.js';
import type { AccessRule } from '../../policy/access.js';

const Text = v.pipe(v.string(), v.maxLength(300));
const Port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const Subject = [
  v.strictObject({ kind: v.literal('everyone') }),
  v.strictObject({ kind: v.literal('device'), device: Text }),
  v.strictObject({ kind: v.literal('tag'), tag: Text }),
] as const;

/** A rule of the policy as it travels: a prefix is text. */
export const RuleText = v.strictObject({
  id: Text,
  action: v.picklist(['allow', 'deny']),
  from: v.variant('kind', [...Subject]),
  to: v.variant('kind', [
    ...Subject,
    v.strictObject({ kind: v.picklist(['anything', 'internet', 'lan', 'gateway']) }),
    v.strictObject({
      kind: v.literal('prefix'),
      prefix: v.pipe(
        v.string(),
        v.check((text) => parseIpPrefix(text) !== undefined),
      ),
    }),
  ]),
  protocol: v.optional(v.picklist(['tcp', 'udp', 'icmp'])),
  ports: v.optional(v.strictObject({ first: Port, last: Port })),
});
export type RuleText = v.InferOutput<typeof RuleText>;

export function ruleText(rule: AccessRule): RuleText {
  const { to } = rule;
  return to.kind === 'prefix'
    ? { ...rule, to: { kind: 'prefix', prefix: formatIpPrefix(to.prefix) } }
    : { ...rule, to };
}

export function ruleOfText({ to, protocol, ports, ...rest }: RuleText): AccessRule {
  return {
    ...rest,
    to: to.kind === 'prefix' ? { kind: 'prefix', prefix: parseIpPrefix(to.prefix)! } : to,
    ...(protocol === undefined ? {} : { protocol }),
    ...(ports === undefined ? {} : { ports }),
  };
}

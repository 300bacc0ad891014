import * as v from 'valibot';

import { Id, Switches } from './device-schemas.js';

const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

const Subject = v.variant('kind', [
  v.strictObject({ kind: v.literal('everyone') }),
  v.strictObject({ kind: v.literal('device'), device: Id }),
  v.strictObject({ kind: v.literal('tag'), tag: v.string() }),
]);

const Target = v.variant('kind', [
  v.strictObject({ kind: v.picklist(['anything', 'internet', 'lan', 'gateway', 'everyone']) }),
  v.strictObject({ kind: v.literal('device'), device: Id }),
  v.strictObject({ kind: v.literal('tag'), tag: v.string() }),
  v.strictObject({ kind: v.literal('prefix'), prefix: v.string() }),
]);

/** An access rule, its address range as text. */
export const RuleBody = v.strictObject({
  id: v.optional(Id),
  action: v.picklist(['allow', 'deny']),
  from: Subject,
  to: Target,
  protocol: v.optional(v.picklist(['tcp', 'udp', 'icmp'])),
  ports: v.optional(v.strictObject({ first: Port, last: Port })),
});
export type RuleBody = v.InferOutput<typeof RuleBody>;

export const RulesBody = v.strictObject({ rules: v.pipe(v.array(RuleBody), v.maxLength(1_000)) });

export const DecisionBody = v.strictObject({
  isAllowed: v.boolean(),
  reason: v.string(),
  rule: v.optional(v.string()),
  switch: v.optional(v.string()),
  otherDevice: v.optional(v.string()),
});

export const RuleTest = v.strictObject({
  device: Id,
  protocol: v.picklist(['tcp', 'udp', 'icmp']),
  /** An address. */
  destination: v.string(),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 0),
});

export const DenialBody = v.strictObject({
  atUnixMs: v.number(),
  flow: v.strictObject({ device: Id, protocol: v.string(), destination: v.string(), port: v.number() }),
  decision: DecisionBody,
  count: v.number(),
});

const settings = {
  endpoint: v.pipe(v.string(), v.maxLength(300)),
  listenPort: Port,
  subnet4: v.string(),
  subnet6: v.optional(v.string()),
  dns: v.array(v.string()),
  mtu: v.pipe(v.number(), v.integer()),
  persistentKeepaliveSeconds: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
  defaultSwitches: Switches,
  membersMayAdd: v.optional(v.boolean()),
  timeZone: v.string(),
  language: v.picklist(['en', 'zh-CN']),
};
export const SettingsBody = v.strictObject({
  ...settings,
  /** The network of a hub, which does not change. */
  mesh: v.optional(
    v.strictObject({
      name: v.string(),
      networkId: v.string(),
      mode: v.picklist(['auto', 'locked']),
      signingKey: v.string(),
    }),
  ),
});
export const SettingsChange = v.partial(v.strictObject(settings));

export const StatusBody = v.strictObject({
  publicKey: v.string(),
  endpoint: v.string(),
  uplink: v.picklist(['sockets', 'tun']),
  storeProblem: v.optional(v.string()),
  listenPort: v.number(),
  version: v.string(),
  startedAtUnixMs: v.number(),
  deviceCounts: v.record(v.string(), v.number()),
  receivedBytesPerSecond: v.number(),
  sentBytesPerSecond: v.number(),
  hasRoute: v.strictObject({ ipv4: v.boolean(), ipv6: v.boolean() }),
  limitations: v.array(v.strictObject({ what: v.string(), reason: v.string() })),
  counters: v.record(v.string(), v.number()),
});

export const AuditBody = v.strictObject({
  entries: v.array(
    v.strictObject({
      number: v.number(),
      hash: v.string(),
      atUnixMs: v.number(),
      actor: v.string(),
      operation: v.string(),
      object: v.optional(v.string()),
      details: v.record(v.string(), v.unknown()),
    }),
  ),
});

import * as v from 'valibot';

import { applyConfig, type GatewayConfig } from '../../gateway/service/apply-config.js';
import { Rehearsal } from '../../gateway/service/rehearsal.js';
import { ApiError } from '../server-errors.js';
import { DeviceChangeBody, NewDeviceBody } from './device-schemas.js';
import { RuleBody, SettingsChange } from './gateway-schemas.js';
import { type CallContext, operation } from './operation.js';
import { readRule, ruleBody } from './rule-bodies.js';

const { name, publicKey, hasPresharedKey } = NewDeviceBody.entries;
const { id: _, owner: __, ...changeable } = DeviceChangeBody.entries;

const ConfigDeviceBody = v.strictObject({
  ...changeable,
  name,
  publicKey,
  hasPresharedKey,
  /** Name of a person. */
  owner: v.optional(v.nullable(v.string())),
  isBlocked: v.optional(v.boolean()),
});

export const ConfigBody = v.strictObject({
  settings: v.optional(SettingsChange),
  devices: v.optional(v.pipe(v.array(ConfigDeviceBody), v.maxLength(10_000))),
  rules: v.optional(v.pipe(v.array(RuleBody), v.maxLength(1_000))),
  prune: v.optional(v.boolean()),
});
export type ConfigBody = v.InferOutput<typeof ConfigBody>;

const Changes = v.array(
  v.strictObject({ path: v.string(), from: v.optional(v.unknown()), to: v.optional(v.unknown()) }),
);

/** The whole gateway as one document: what is to be, and what is. */
export const CONFIG_OPERATIONS = [
  operation({
    id: 'config.apply',
    method: 'POST',
    path: '/config',
    scope: 'settings:write',
    summary: 'Makes settings, devices and rules what a document declares: all of it, or nothing.',
    input: ConfigBody,
    output: v.strictObject({ changes: Changes }),
    example: { input: { settings: { mtu: 1_400 } } },
    handler: async (body, context) => {
      const { parts, caller } = context;
      for (const scope of ['devices:write', 'rules:write'] as const)
        if (!caller.scopes.has(scope)) throw new ApiError('ERR_SCOPE', `the scope ${scope} is needed`);
      const rehearsal = new Rehearsal(parts.gateway, parts.nowUnixMs);
      await applyConfig(await configOf(body, context), rehearsal, caller.actor);
      if (rehearsal.changes.length > 0) await parts.gateway.applyPlan(rehearsal.plan, 'config.apply', caller.actor);
      return { changes: rehearsal.changes };
    },
  }),
  operation({
    id: 'config.get',
    method: 'GET',
    path: '/config',
    scope: 'settings:read',
    summary: 'Returns settings, devices and rules as a document that config.apply takes. It has no secrets.',
    input: v.strictObject({}),
    output: ConfigBody,
    handler: async (_input, { parts }) => {
      const { gateway, store } = parts;
      const people = new Map((await store.people()).map((person) => [person.id, person.name]));
      const names = new Map(gateway.devices().map(({ device }) => [device.id, device.name]));
      const devices = gateway.devices().filter(({ device }) => device.deletedAtUnixMs === undefined);
      return {
        settings: { ...gateway.settings, dns: [...gateway.settings.dns] },
        devices: devices.map(({ device }) => ({
          name: device.name,
          publicKey: device.nextPublicKey ?? device.publicKey,
          ...(device.presharedKey === undefined ? {} : { hasPresharedKey: true }),
          tags: [...device.tags],
          ...(device.note === '' ? {} : { note: device.note }),
          ...(device.owner === undefined ? {} : { owner: people.get(device.owner) ?? device.owner }),
          ...(device.expiresAtUnixMs === undefined ? {} : { expiresAtUnixMs: device.expiresAtUnixMs }),
          limits: device.limits,
          switches: device.switches,
          ...(device.isBlocked ? { isBlocked: true } : {}),
        })),
        rules: gateway.rules().map((rule) => withNames(ruleBody(rule), names)),
      };
    },
  }),
];

/** Reads a document, with people by their names. @throws {ApiError} ERR_INPUT */
async function configOf({ devices, rules, ...rest }: ConfigBody, { parts }: CallContext): Promise<GatewayConfig> {
  const people = new Map((await parts.store.people()).map((person) => [person.name.toLowerCase(), person.id]));
  refuseTwice(devices ?? []);
  return {
    ...rest,
    ...(rules === undefined ? {} : { rules: rules.map(readRule) }),
    ...(devices === undefined
      ? {}
      : {
          devices: devices.map(({ owner, ...device }, i) => ({
            ...device,
            ...(owner === undefined ? {} : { owner: owner === null ? null : idOf(owner, people, i) }),
          })),
        }),
  } as GatewayConfig;
}

function idOf(owner: string, people: ReadonlyMap<string, string>, index: number): string {
  const id = people.get(owner.toLowerCase());
  if (id === undefined) throw new ApiError('ERR_INPUT', `devices.${index}.owner: there is no person named ${owner}`);
  return id;
}

function refuseTwice(devices: readonly { readonly name: string }[]): void {
  const seen = new Set<string>();
  for (const [index, device] of devices.entries()) {
    const lower = device.name.toLowerCase();
    if (seen.has(lower)) throw new ApiError('ERR_INPUT', `devices.${index}.name: ${device.name} is there twice`);
    seen.add(lower);
  }
}

function withNames({ id: _id, from, to, ...rest }: RuleBody, names: ReadonlyMap<string, string>): RuleBody {
  const named = <T extends RuleBody['from'] | RuleBody['to']>(subject: T): T =>
    subject.kind === 'device' ? { ...subject, device: names.get(subject.device) ?? subject.device } : subject;
  return { ...rest, from: named(from), to: named(to) };
}

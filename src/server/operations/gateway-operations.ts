import * as v from 'valibot';

import { parseIpAddress } from '../../control/ip-text.js';
import { ApiError } from '../server-errors.js';
import { etagOf, requireMatch, visible } from './device-bodies.js';
import { Nothing } from './device-schemas.js';
import {
  AuditBody,
  DecisionBody,
  DenialBody,
  RulesBody,
  RuleTest,
  SettingsBody,
  SettingsChange,
  StatusBody,
} from './gateway-schemas.js';
import { operation } from './operation.js';
import { readRule, ruleBody } from './rule-bodies.js';

/** Rules, settings, and what the gateway as a whole has to say. */
export const GATEWAY_OPERATIONS = [
  operation({
    id: 'rules.get',
    method: 'GET',
    path: '/rules',
    scope: 'rules:read',
    summary: 'Returns the access rules. The first that matches a flow decides.',
    input: Nothing,
    output: RulesBody,
    handler: async (_, { parts, setHeader }) => {
      setHeader('etag', etagOf(parts.gateway.rules()));
      return { rules: parts.gateway.rules().map(ruleBody) };
    },
  }),
  operation({
    id: 'rules.set',
    method: 'PUT',
    path: '/rules',
    scope: 'rules:write',
    summary: 'Replaces all access rules. Flows that they forbid end at once.',
    input: RulesBody,
    output: RulesBody,
    example: { input: { rules: [] } },
    handler: async ({ rules }, { parts, caller, ifMatch }) => {
      requireMatch(parts.gateway.rules(), ifMatch);
      await parts.gateway.setRules(rules.map(readRule), caller.actor);
      return { rules: parts.gateway.rules().map(ruleBody) };
    },
  }),
  operation({
    id: 'rules.test',
    method: 'POST',
    path: '/rules/test',
    scope: 'rules:read',
    summary: 'Says what would become of a flow of a device, and by which rule.',
    input: RuleTest,
    output: v.strictObject({ decision: DecisionBody }),
    handler: async ({ device, protocol, destination, port }, { parts, caller }) => {
      visible(parts.gateway.device(device), caller);
      const address = parseIpAddress(destination);
      if (address === undefined) throw new ApiError('ERR_INPUT', 'destination: an address is expected');
      const { isAllowed, reason, ...more } = parts.gateway.decide({ device, protocol, destination: address, port });
      return { decision: { isAllowed, reason, ...picked(more) } };
    },
  }),
  operation({
    id: 'denials.list',
    method: 'GET',
    path: '/denials',
    scope: 'rules:read',
    summary: 'Lists the flows that were refused lately, newest first, equal ones counted together.',
    input: Nothing,
    output: v.strictObject({ denials: v.array(DenialBody) }),
    handler: async (_, { parts }) => ({
      denials: parts.gateway.denials().map(({ decision, ...denial }) => {
        const { isAllowed, reason, ...more } = decision;
        return { ...denial, decision: { isAllowed, reason, ...picked(more) } };
      }),
    }),
  }),
  operation({
    id: 'settings.get',
    method: 'GET',
    path: '/settings',
    scope: 'settings:read',
    summary: 'Returns the settings of the gateway.',
    input: Nothing,
    output: SettingsBody,
    handler: async (_, { parts, setHeader }) => {
      setHeader('etag', etagOf(parts.gateway.settings));
      return { ...parts.gateway.settings, dns: [...parts.gateway.settings.dns] };
    },
  }),
  operation({
    id: 'settings.change',
    method: 'PATCH',
    path: '/settings',
    scope: 'settings:write',
    summary: 'Changes what is given. Port, subnets and MTU hold from the next start.',
    input: SettingsChange,
    output: SettingsBody,
    handler: async (change, { parts, caller, ifMatch }) => {
      requireMatch(parts.gateway.settings, ifMatch);
      await parts.gateway.changeSettings(change as Parameters<typeof parts.gateway.changeSettings>[0], caller.actor);
      return { ...parts.gateway.settings, dns: [...parts.gateway.settings.dns] };
    },
  }),
  operation({
    id: 'status.get',
    method: 'GET',
    path: '/status',
    scope: 'devices:read',
    summary: 'Returns how the gateway is: conditions of devices, rates, counters, what does not work on this host.',
    input: Nothing,
    output: StatusBody,
    handler: async (_, { parts }) => {
      const { gateway, version } = parts;
      const { limitations, ...status } = gateway.status();
      return {
        ...status,
        limitations: [...limitations],
        publicKey: gateway.publicKey,
        endpoint: gateway.settings.endpoint,
        version,
      };
    },
  }),
  operation({
    id: 'audit.list',
    method: 'GET',
    path: '/audit',
    scope: 'audit:read',
    summary: 'Returns the audit log, newest first. Each entry is chained to the one before by its hash.',
    input: v.strictObject({
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500)), 100),
      before: v.optional(v.pipe(v.number(), v.integer())),
    }),
    output: AuditBody,
    handler: async ({ limit, before }, { parts }) => ({
      entries: (await parts.store.audit(limit, before)).map(
        ({ number, hash, atUnixMs, actor, operation, object, details }) => ({
          number,
          hash,
          atUnixMs,
          actor,
          operation,
          ...(object === undefined ? {} : { object }),
          details,
        }),
      ),
    }),
  }),
];

function picked({ rule, switch: name, otherDevice }: { rule?: string; switch?: string; otherDevice?: string }) {
  return {
    ...(rule === undefined ? {} : { rule }),
    ...(name === undefined ? {} : { switch: name }),
    ...(otherDevice === undefined ? {} : { otherDevice }),
  };
}

import * as v from 'valibot';

import type { GatewaySettings } from '../../gateway/gateway-model.js';
import { ApiError } from '../server-errors.js';
import { Nothing } from './device-schemas.js';
import { SettingsBody } from './gateway-schemas.js';
import { type CallContext, operation } from './operation.js';

const MOST_ENTRIES = 100;
/** Operations whose lines in the audit log say what the settings were before and after. */
const CHANGING = ['settings.change', 'config.apply'];

interface Entry {
  readonly number: number;
  readonly atUnixMs: number;
  readonly actor: string;
  readonly before: Partial<GatewaySettings>;
  readonly after: Partial<GatewaySettings>;
}

/** Earlier settings, as the audit log knows them. */
export const SETTINGS_HISTORY_OPERATIONS = [
  operation({
    id: 'settings.history',
    method: 'GET',
    path: '/settings/history',
    scope: 'settings:read',
    summary: 'Lists the last changes of the settings, newest first.',
    input: Nothing,
    output: v.strictObject({
      entries: v.array(
        v.strictObject({
          number: v.number(),
          atUnixMs: v.number(),
          actor: v.string(),
          changes: v.array(v.strictObject({ name: v.string(), from: v.unknown(), to: v.unknown() })),
        }),
      ),
    }),
    handler: async (_, context) => ({
      entries: (await entriesOf(context)).map(({ number, atUnixMs, actor, before, after }) => ({
        number,
        atUnixMs,
        actor,
        changes: changesOf(before, after),
      })),
    }),
  }),
  operation({
    id: 'settings.restore',
    method: 'POST',
    path: '/settings/restore',
    scope: 'settings:write',
    summary: 'Makes the settings what they were before a change in their history.',
    input: v.strictObject({ number: v.pipe(v.number(), v.integer()) }),
    output: SettingsBody,
    handler: async ({ number }, context) => {
      const { gateway } = context.parts;
      const entries = await entriesOf(context);
      const last = entries.findIndex((entry) => entry.number === number);
      if (last < 0) throw new ApiError('ERR_NOT_FOUND', 'there is no such change of the settings');
      await gateway.changeSettings(undone(entries.slice(0, last + 1)), context.caller.actor);
      return { ...gateway.settings, dns: [...gateway.settings.dns] };
    },
  }),
];

async function entriesOf({ parts }: CallContext): Promise<Entry[]> {
  const lines = await parts.store.audit(MOST_ENTRIES, undefined, CHANGING);
  return lines.flatMap(({ number, atUnixMs, actor, details }) =>
    details['before'] === undefined
      ? []
      : [{ number, atUnixMs, actor, before: details['before'], after: details['after'] ?? {} } as Entry],
  );
}

/** Returns what takes changes back, newest first. A member that was not there before is taken away. */
function undone(entries: readonly Entry[]): Partial<GatewaySettings> {
  const change: Record<string, unknown> = {};
  for (const { before, after } of entries)
    for (const name of Object.keys(after)) change[name] = before[name as keyof GatewaySettings];
  return change as Partial<GatewaySettings>;
}

function changesOf(before: object, after: object): { name: string; from: unknown; to: unknown }[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const [old, now] = [before, after] as Record<string, unknown>[];
  return names
    .filter((name) => JSON.stringify(old![name]) !== JSON.stringify(now![name]))
    .map((name) => ({ name, from: old![name] ?? null, to: now![name] ?? null }));
}

import * as v from 'valibot';

import type { DeviceView } from '../../gateway/gateway-service.js';
import { problemOf } from '../http/problem.js';
import { deviceBody, visible } from './device-bodies.js';
import { DeviceBody, Id, Tags } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const Ids = v.pipe(v.array(Id), v.minLength(1), v.maxLength(10_000));

const BulkBody = v.strictObject({
  ids: Ids,
  action: v.optional(v.picklist(['block', 'unblock', 'remove', 'restore'])),
  addTags: v.optional(Tags),
  removeTags: v.optional(Tags),
});
type BulkBody = v.InferOutput<typeof BulkBody>;

/** Changes to many devices by one request. */
export const DEVICE_BULK_OPERATIONS = [
  operation({
    id: 'device.bulk',
    method: 'POST',
    path: '/devices/bulk',
    scope: 'devices:write',
    summary: 'Does the same to many devices. Those that it fails for are listed; the others are changed.',
    input: BulkBody,
    output: v.strictObject({
      changed: v.array(DeviceBody),
      failed: v.array(v.strictObject({ id: Id, code: v.string(), detail: v.string() })),
    }),
    example: { input: { ids: ['0123456789ab'], action: 'block' } },
    handler: async ({ ids, ...what }, context) => {
      const changed: DeviceBody[] = [];
      const failed: { id: string; code: string; detail: string }[] = [];
      for (const id of new Set(ids))
        try {
          changed.push(deviceBody(await changeOne(id, what, context)));
        } catch (error) {
          const problem = problemOf(error);
          if (problem === undefined) throw error;
          failed.push({ id, code: problem.code, detail: problem.detail });
        }
      return { changed, failed };
    },
  }),
];

async function changeOne(id: string, what: Omit<BulkBody, 'ids'>, { parts, caller }: CallContext): Promise<DeviceView> {
  const { gateway } = parts;
  const { device } = visible(gateway.device(id), caller);
  const { action, addTags = [], removeTags = [] } = what;
  if (addTags.length > 0 || removeTags.length > 0) {
    const tags = [...new Set([...device.tags, ...addTags])].filter((tag) => !removeTags.includes(tag));
    await gateway.changeDevice(id, { tags }, caller.actor);
  }
  if (action === 'block' || action === 'unblock')
    await gateway.changeDevice(id, { isBlocked: action === 'block' }, caller.actor);
  if (action === 'remove') await gateway.deleteDevice(id, caller.actor);
  if (action === 'restore') await gateway.restoreDevice(id, caller.actor);
  return gateway.device(id)!;
}

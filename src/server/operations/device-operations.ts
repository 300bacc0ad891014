import * as v from 'valibot';

import type { DeviceView } from '../../gateway/gateway-service.js';
import { deviceBody, maySee, requireMatch, visible } from './device-bodies.js';
import {
  ById,
  DeviceBody,
  DeviceChangeBody,
  DeviceWithFile,
  FlowBody,
  Id,
  Key,
  NewDeviceBody,
  Nothing,
  Period,
  Sample,
  SessionBody,
} from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const EXAMPLE_KEY = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';

/** Everything that can be done with devices. */
export const DEVICE_OPERATIONS = [
  operation({
    id: 'device.list',
    method: 'GET',
    path: '/devices',
    scope: 'own',
    summary: 'Lists the devices that the caller may see.',
    input: v.strictObject({ bin: v.optional(v.picklist(['0', '1'])) }),
    output: v.strictObject({ devices: v.array(DeviceBody), nowUnixMs: v.number() }),
    handler: async ({ bin = '0' }, { parts, caller }) => ({
      devices: parts.gateway
        .devices()
        .filter((view) => maySee(caller, view) && (view.device.deletedAtUnixMs !== undefined) === (bin === '1'))
        .map(deviceBody),
      nowUnixMs: parts.nowUnixMs(),
    }),
  }),
  operation({
    id: 'device.add',
    method: 'POST',
    path: '/devices',
    scope: 'devices:write',
    summary: 'Adds a device by its public key, and returns its file without the private key.',
    input: NewDeviceBody,
    output: DeviceWithFile,
    status: 201,
    example: { input: { name: 'phone', publicKey: EXAMPLE_KEY } },
    handler: async (input, { parts, caller }) => {
      const view = await parts.gateway.addDevice(input as Parameters<typeof parts.gateway.addDevice>[0], caller.actor);
      return { ...deviceBody(view), file: parts.gateway.deviceFile(view.device.id) };
    },
  }),
  operation({
    id: 'device.get',
    method: 'GET',
    path: '/devices/:id',
    scope: 'own',
    summary: 'Returns one device.',
    input: ById,
    output: DeviceBody,
    handler: async ({ id }, context) => deviceBody(find(id, context)),
  }),
  operation({
    id: 'device.change',
    method: 'PATCH',
    path: '/devices/:id',
    scope: 'devices:write',
    summary: 'Changes what is given; null takes an owner or an expiry away.',
    input: DeviceChangeBody,
    output: DeviceBody,
    handler: async ({ id, ...change }, context) => {
      find(id, context);
      const { gateway } = context.parts;
      return deviceBody(
        await gateway.changeDevice(id, change as Parameters<typeof gateway.changeDevice>[1], context.caller.actor),
      );
    },
  }),
  ...([true, false] as const).map((isBlocked) =>
    operation({
      id: isBlocked ? 'device.block' : 'device.unblock',
      method: 'POST',
      path: `/devices/:id/${isBlocked ? 'block' : 'unblock'}`,
      scope: 'devices:write',
      summary: isBlocked
        ? "Blocks a device at once: it still reaches the gateway's own page, and nothing else."
        : 'Lets a blocked device in again.',
      input: ById,
      output: DeviceBody,
      handler: async ({ id }, context) => {
        find(id, context);
        return deviceBody(await context.parts.gateway.changeDevice(id, { isBlocked }, context.caller.actor));
      },
    }),
  ),
  operation({
    id: 'device.reissue',
    method: 'POST',
    path: '/devices/:id/reissue',
    scope: 'devices:write',
    summary: 'Takes a new public key, which replaces the old one with its first handshake.',
    input: v.strictObject({ id: Id, publicKey: Key }),
    output: DeviceWithFile,
    handler: async ({ id, publicKey }, context) => {
      find(id, context);
      const { gateway } = context.parts;
      const view = await gateway.reissueDevice(id, publicKey, context.caller.actor);
      return { ...deviceBody(view), file: gateway.deviceFile(id) };
    },
  }),
  operation({
    id: 'device.remove',
    method: 'DELETE',
    path: '/devices/:id',
    scope: 'devices:write',
    summary: 'Refuses the key of a device at once, and keeps the device in the bin for seven days.',
    input: ById,
    output: Nothing,
    status: 204,
    handler: async ({ id }, context) => {
      find(id, context);
      await context.parts.gateway.deleteDevice(id, context.caller.actor);
      return {};
    },
  }),
  operation({
    id: 'device.restore',
    method: 'POST',
    path: '/devices/:id/restore',
    scope: 'devices:write',
    summary: 'Takes a device out of the bin.',
    input: ById,
    output: DeviceBody,
    handler: async ({ id }, context) => {
      find(id, context);
      return deviceBody(await context.parts.gateway.restoreDevice(id, context.caller.actor));
    },
  }),
  operation({
    id: 'device.file',
    method: 'GET',
    path: '/devices/:id/file',
    scope: 'devices:write',
    summary: 'Returns the file of a device, its line of the private key empty.',
    input: ById,
    output: v.strictObject({ file: v.string() }),
    handler: async ({ id }, context) => {
      find(id, context);
      return { file: context.parts.gateway.deviceFile(id) };
    },
  }),
  operation({
    id: 'device.traffic',
    method: 'GET',
    path: '/devices/:id/traffic',
    scope: 'own',
    summary: 'Returns the traffic of a device in at most as many samples as asked for.',
    input: v.strictObject({ id: Id, ...Period.entries }),
    output: v.strictObject({ samples: v.array(Sample) }),
    handler: async ({ id, fromUnixMs, toUnixMs, buckets }, context) => {
      find(id, context);
      return { samples: (await context.parts.gateway.traffic(id, fromUnixMs, toUnixMs, buckets)).map(sampleBody) };
    },
  }),
  operation({
    id: 'device.sessions',
    method: 'GET',
    path: '/devices/:id/sessions',
    scope: 'own',
    summary: 'Returns when a device was connected.',
    input: v.strictObject({ id: Id, ...Period.entries }),
    output: v.strictObject({ sessions: v.array(SessionBody) }),
    handler: async ({ id, fromUnixMs, toUnixMs }, context) => {
      find(id, context);
      return { sessions: [...(await context.parts.gateway.sessions(id, fromUnixMs, toUnixMs))] };
    },
  }),
  operation({
    id: 'device.flows',
    method: 'GET',
    path: '/devices/:id/flows',
    scope: 'devices:read',
    summary: 'Returns the flows of a device that live at this moment. They are kept nowhere.',
    input: ById,
    output: v.strictObject({ flows: v.array(FlowBody) }),
    handler: async ({ id }, context) => {
      find(id, context);
      return { flows: [...context.parts.gateway.flows(id)] };
    },
  }),
  operation({
    id: 'traffic.all',
    method: 'GET',
    path: '/traffic',
    scope: 'devices:read',
    summary: 'Returns the traffic of all devices together.',
    input: Period,
    output: v.strictObject({ samples: v.array(Sample) }),
    handler: async ({ fromUnixMs, toUnixMs, buckets }, { parts }) => ({
      samples: (await parts.gateway.traffic(undefined, fromUnixMs, toUnixMs, buckets)).map(sampleBody),
    }),
  }),
];

function find(id: string, { parts, caller, ifMatch }: CallContext): DeviceView {
  const view = visible(parts.gateway.device(id), caller);
  requireMatch(view.device, ifMatch);
  return view;
}

/** The store knows peaks besides, which no chart shows so far. */
function sampleBody({ startUnixMs, seconds, receivedBytes, sentBytes }: v.InferOutput<typeof Sample>) {
  return { startUnixMs, seconds, receivedBytes, sentBytes };
}

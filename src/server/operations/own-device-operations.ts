import * as v from 'valibot';

import { ApiError } from '../server-errors.js';
import { deviceBody } from './device-bodies.js';
import { ById, DeviceWithFile, Id, Key, NewDeviceBody, Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

/** Enough for a person, and too few to use a network up. */
const MOST_DEVICES = 10;

const { name, publicKey, hasPresharedKey } = NewDeviceBody.entries;

/** Own devices of people that may do nothing else, where the settings allow it. */
export const OWN_DEVICE_OPERATIONS = [
  operation({
    id: 'ownDevice.add',
    method: 'POST',
    path: '/own/devices',
    scope: 'own',
    summary:
      'Adds a device of the caller, with the rights of a new device, and returns its file without the private key.',
    input: v.strictObject({ name, publicKey, hasPresharedKey }),
    output: DeviceWithFile,
    status: 201,
    handler: async (input, context) => {
      const owner = personOf(context);
      const { gateway } = context.parts;
      const own = gateway.devices().filter(({ device }) => device.owner === owner);
      if (own.filter(({ device }) => device.deletedAtUnixMs === undefined).length >= MOST_DEVICES)
        throw new ApiError('ERR_INPUT', `${MOST_DEVICES} devices of a person are the most`);
      const device = { name: input.name, publicKey: input.publicKey, owner };
      const view = await gateway.addDevice(
        { ...device, hasPresharedKey: input.hasPresharedKey === true },
        context.caller.actor,
      );
      return { ...deviceBody(view), file: gateway.deviceFile(view.device.id) };
    },
  }),
  operation({
    id: 'ownDevice.reissue',
    method: 'POST',
    path: '/own/devices/:id/reissue',
    scope: 'own',
    summary: 'Takes a new public key for a device of the caller, which replaces the old one with its first handshake.',
    input: v.strictObject({ id: Id, publicKey: Key }),
    output: DeviceWithFile,
    handler: async ({ id, publicKey: key }, context) => {
      requireOwn(id, context);
      const { gateway } = context.parts;
      const view = await gateway.reissueDevice(id, key, context.caller.actor);
      return { ...deviceBody(view), file: gateway.deviceFile(id) };
    },
  }),
  operation({
    id: 'ownDevice.remove',
    method: 'DELETE',
    path: '/own/devices/:id',
    scope: 'own',
    summary: 'Refuses the key of a device of the caller at once, and keeps the device in the bin for seven days.',
    input: ById,
    output: Nothing,
    status: 204,
    handler: async ({ id }, context) => {
      requireOwn(id, context);
      await context.parts.gateway.deleteDevice(id, context.caller.actor);
      return {};
    },
  }),
];

/** @throws {ApiError} ERR_SCOPE */
function personOf({ parts, caller }: CallContext): string {
  if (parts.gateway.settings.membersMayAdd !== true)
    throw new ApiError('ERR_SCOPE', 'the settings of this gateway leave devices to its administrators');
  if (caller.person === undefined) throw new ApiError('ERR_SCOPE', 'only a person who is signed in has own devices');
  return caller.person;
}

/** @throws {ApiError} ERR_SCOPE, ERR_NOT_FOUND: there is none, or it is another's. */
function requireOwn(id: string, context: CallContext): void {
  const person = personOf(context);
  const device = context.parts.gateway.device(id)?.device;
  if (device === undefined || device.deletedAtUnixMs !== undefined || device.owner !== person)
    throw new ApiError('ERR_NOT_FOUND', 'there is no such device of yours');
}

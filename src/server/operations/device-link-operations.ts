import * as v from 'valibot';

import type { OneTimeLink } from '../../store/people-store.js';
import { hashOf, newLinkSecret } from '../auth/secrets.js';
import { attempt } from '../auth/sign-ins.js';
import { ApiError } from '../server-errors.js';
import { auditOf } from './acting.js';
import { deviceBody, visible } from './device-bodies.js';
import { ById, DeviceWithFile, Key } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const LINK_MS = 86_400_000;
const Secret = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

/** Links that work once, by which whoever holds a device fetches its file: the key is made in that browser. */
export const DEVICE_LINK_OPERATIONS = [
  operation({
    id: 'deviceLink.make',
    method: 'POST',
    path: '/devices/:id/link',
    scope: 'devices:write',
    summary: 'Makes a link that works once, within a day, and gives the file of a device with a new key.',
    input: ById,
    output: v.strictObject({ link: v.string(), expiresAtUnixMs: v.number() }),
    status: 201,
    isRehearsed: false,
    handler: async ({ id }, context) => {
      const { parts, caller } = context;
      visible(parts.gateway.device(id), caller);
      const link = newLinkSecret();
      const createdAtUnixMs = parts.nowUnixMs();
      const expiresAtUnixMs = createdAtUnixMs + LINK_MS;
      const entry = {
        hash: hashOf(link),
        purpose: 'device-file' as const,
        device: id,
        createdBy: caller.actor,
        createdAtUnixMs,
        expiresAtUnixMs,
      };
      await parts.store.changePeople({ putLinks: [entry], audit: auditOf(context, 'deviceLink.make', id) });
      return { link, expiresAtUnixMs };
    },
  }),
  operation({
    id: 'deviceLink.look',
    method: 'POST',
    path: '/device-link/look',
    scope: 'public',
    summary: 'Says which device a link is for, and does not use it up.',
    input: v.strictObject({ link: Secret }),
    output: v.strictObject({ name: v.string(), expiresAtUnixMs: v.number() }),
    example: { input: { link: 'AAAAAAAAAAAAAAAAAAAAAA' } },
    handler: async ({ link }, context) => {
      const { device, expiresAtUnixMs } = await find(link, context);
      return { name: deviceOf(device, context).device.name, expiresAtUnixMs };
    },
  }),
  operation({
    id: 'deviceLink.use',
    method: 'POST',
    path: '/device-link',
    scope: 'public',
    summary: 'Uses a link up: takes a public key for its device, and returns the file without the private key.',
    input: v.strictObject({ link: Secret, publicKey: Key }),
    output: DeviceWithFile,
    example: { input: { link: 'AAAAAAAAAAAAAAAAAAAAAA', publicKey: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' } },
    handler: async ({ link, publicKey }, context) => {
      const { store, gateway } = context.parts;
      const { device } = await find(link, context);
      const { id } = deviceOf(device, context).device;
      const audit = auditOf(context, 'deviceLink.use', id);
      if ((await store.takeLink(hashOf(link), { audit })) === undefined) throw used();
      const view = await gateway.reissueDevice(id, publicKey, 'link');
      return { ...deviceBody(view), file: gateway.deviceFile(id) };
    },
  }),
];

async function find(link: string, context: CallContext): Promise<OneTimeLink> {
  const hash = hashOf(link);
  // Guesses slow their own address down, and nobody else that has a link.
  return attempt(`link ${hash}`, context, async () => {
    const found = await context.parts.store.link(hash, context.parts.nowUnixMs());
    return found?.purpose === 'device-file' ? found : undefined;
  });
}

/** @throws {ApiError} ERR_SIGN_IN: the device was removed meanwhile. */
function deviceOf(id: string | undefined, { parts }: CallContext) {
  const view = parts.gateway.device(id ?? '');
  if (view === undefined || view.device.deletedAtUnixMs !== undefined) throw used();
  return view;
}

function used(): ApiError {
  return new ApiError('ERR_SIGN_IN', 'the link was used before, or has expired');
}

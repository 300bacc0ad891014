import { createHash } from 'node:crypto';

import type { DeviceView } from '../../gateway/gateway-service.js';
import { ApiError } from '../server-errors.js';
import type { Caller } from './caller.js';
import type { DeviceBody } from './device-schemas.js';

/** Returns a device as programs and the page get it: its preshared key is never shown. */
export function deviceBody({ device, ...seen }: DeviceView): DeviceBody {
  const { presharedKey, ...shown } = device;
  return {
    ...shown,
    addresses: [...device.addresses],
    tags: [...device.tags],
    hasPresharedKey: presharedKey !== undefined,
    etag: etagOf(device),
    ...seen,
    proof: { ...seen.proof },
    drops: { ...seen.drops },
  };
}

/** Changed objects are new objects, so that each is hashed once: the stream of events asks for all devices each second. */
const etags = new WeakMap<object, string>();

/** Changes with every change of what it is made from. */
export function etagOf(value: object): string {
  const known = etags.get(value);
  if (known !== undefined) return known;
  const etag = `"${createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)}"`;
  etags.set(value, etag);
  return etag;
}

/** Refuses a change of what somebody else has changed meanwhile. @throws {ApiError} ERR_CHANGED */
export function requireMatch(value: object, ifMatch: string | undefined): void {
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== etagOf(value))
    throw new ApiError('ERR_CHANGED', 'it was changed meanwhile: read it again');
}

/** Whether a caller may see a device: tokens can be bound to tags, members to what is theirs. */
export function maySee(caller: Caller, { device }: DeviceView): boolean {
  if (caller.tags !== undefined && !caller.tags.some((tag) => device.tags.includes(tag))) return false;
  if (caller.scopes.has('devices:read')) return true;
  return device.id === caller.device || (device.owner !== undefined && device.owner === caller.person);
}

/** @throws {ApiError} ERR_NOT_FOUND: there is none, or it is not the caller's to see. */
export function visible(view: DeviceView | undefined, caller: Caller): DeviceView {
  if (view === undefined || !maySee(caller, view)) throw new ApiError('ERR_NOT_FOUND', 'there is no such device');
  return view;
}

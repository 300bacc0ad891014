import { randomBytes } from 'node:crypto';

import { WireGuardError } from '../../core/errors.js';
import type { GatewayDevice, GatewaySettings } from '../gateway-model.js';
import type { DeviceChange, NewDevice } from '../gateway-service.js';
import { freeAddresses } from './address-pool.js';

const ID_BYTES = 6;
const KEY_BYTES = 32;
const BIN_MS = 7 * 86_400_000;

/** Makes a device of what was asked for. @param others Those in the bin as well. @throws {WireGuardError} ERR_SUBNET_FULL */
export function newDevice(
  given: NewDevice,
  settings: GatewaySettings,
  others: readonly GatewayDevice[],
  nowUnixMs: number,
): GatewayDevice {
  const used = others.flatMap(({ addresses }) => addresses);
  return {
    id: randomBytes(ID_BYTES).toString('hex'),
    name: given.name,
    publicKey: given.publicKey,
    ...(given.hasPresharedKey === true ? { presharedKey: randomBytes(KEY_BYTES).toString('base64') } : {}),
    addresses: freeAddresses(settings, used),
    tags: given.tags ?? [],
    note: given.note ?? '',
    ...(given.owner === undefined ? {} : { owner: given.owner }),
    switches: given.switches ?? settings.defaultSwitches,
    limits: given.limits ?? {},
    isBlocked: false,
    ...(given.expiresAtUnixMs === undefined ? {} : { expiresAtUnixMs: given.expiresAtUnixMs }),
    createdAtUnixMs: nowUnixMs,
  };
}

/** Returns a device with a change: absent members stay, `null` takes away. */
export function changed(device: GatewayDevice, change: DeviceChange): GatewayDevice {
  const { owner, expiresAtUnixMs, ...rest } = change;
  const result: { -readonly [Name in keyof GatewayDevice]: GatewayDevice[Name] } = { ...device, ...defined(rest) };
  if (owner === null) delete result.owner;
  else if (owner !== undefined) result.owner = owner;
  if (expiresAtUnixMs === null) delete result.expiresAtUnixMs;
  else if (expiresAtUnixMs !== undefined) result.expiresAtUnixMs = expiresAtUnixMs;
  return result;
}

/** Returns the ids of the devices whose week in the bin is over. */
export function outOfBin(devices: Iterable<GatewayDevice>, nowUnixMs: number): string[] {
  return [...devices]
    .filter(({ deletedAtUnixMs = Infinity }) => deletedAtUnixMs < nowUnixMs - BIN_MS)
    .map(({ id }) => id);
}

/** Names the change for the audit log. */
export function operationOf({ isBlocked, ...others }: DeviceChange): string {
  if (isBlocked === undefined || Object.keys(defined(others)).length > 0) return 'device.change';
  return isBlocked ? 'device.block' : 'device.unblock';
}

/** Lists what differs between two states of a device, for the audit log; of secrets only that they differ. */
export function differences(before: GatewayDevice | undefined, after: GatewayDevice): Record<string, unknown> {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after)]) as Set<keyof GatewayDevice>;
  const changes = [...names].flatMap((name) => {
    const [from, to] = [before?.[name], after[name]];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    return [[name, name === 'presharedKey' ? 'changed' : { from, to }] as const];
  });
  return Object.fromEntries(changes);
}

export function noDevice(id: string, where: string): WireGuardError {
  return new WireGuardError('ERR_NO_DEVICE', `there is no device ${id} ${where}`);
}

/** Returns the members of `whole` that `part` names. */
export function only<T extends object>(whole: T, part: Partial<T>): Partial<T> {
  return Object.fromEntries(Object.keys(part).map((name) => [name, whole[name as keyof T]])) as Partial<T>;
}

function defined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

import type { GatewayDevice, TrafficSample } from '../gateway-model.js';
import type { DeviceChange } from '../gateway-service.js';

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

/** Returns the members of `whole` that `part` names. */
export function only<T extends object>(whole: T, part: Partial<T>): Partial<T> {
  return Object.fromEntries(Object.keys(part).map((name) => [name, whole[name as keyof T]])) as Partial<T>;
}

/** Adds samples that start at the same moment, the oldest first. */
export function added(samples: readonly TrafficSample[]): TrafficSample[] {
  const sums = new Map<number, TrafficSample>();
  for (const sample of samples) {
    const sum = sums.get(sample.startUnixMs);
    sums.set(sample.startUnixMs, {
      ...sample,
      receivedBytes: sample.receivedBytes + (sum?.receivedBytes ?? 0),
      sentBytes: sample.sentBytes + (sum?.sentBytes ?? 0),
    });
  }
  return [...sums.values()].toSorted((a, b) => a.startUnixMs - b.startUnixMs);
}

function defined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

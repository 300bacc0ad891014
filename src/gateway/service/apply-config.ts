import type { AccessRule, Limits, Subject, Switches } from '../../policy/access.js';
import type { GatewayDevice, GatewaySettings } from '../gateway-model.js';
import type { DeviceChange, GatewayService } from '../gateway-service.js';

/** A device as a file declares it, by its name. Members that are absent stay as they are. */
export interface ConfigDevice {
  readonly name: string;
  readonly publicKey: string;
  readonly hasPresharedKey?: boolean;
  readonly tags?: readonly string[];
  readonly note?: string;
  /** Id of a person; `null`: nobody's. */
  readonly owner?: string | null;
  /** `null`: it does not expire. */
  readonly expiresAtUnixMs?: number | null;
  readonly limits?: Limits;
  readonly switches?: Switches;
  readonly isBlocked?: boolean;
}

/** The state that a gateway is to have. Parts that are absent stay as they are. */
export interface GatewayConfig {
  readonly settings?: Partial<GatewaySettings>;
  readonly devices?: readonly ConfigDevice[];
  /** Devices in them are named by name or id. */
  readonly rules?: readonly AccessRule[];
  /** Devices that the file does not name go to the bin. */
  readonly prune?: boolean;
}

/** Makes a gateway what a file declares. Asks for nothing that is so already: the second time changes nothing. */
export async function applyConfig(config: GatewayConfig, gateway: GatewayService, actor: string): Promise<void> {
  const settings = changedMembers(gateway.settings, config.settings ?? {});
  if (Object.keys(settings).length > 0) await gateway.changeSettings(settings, actor);
  if (config.prune === true && config.devices !== undefined) await prune(config.devices, gateway, actor);
  for (const device of config.devices ?? []) await applyDevice(device, gateway, actor);
  if (config.rules !== undefined) await applyRules(config.rules, gateway, actor);
}

async function prune(kept: readonly ConfigDevice[], gateway: GatewayService, actor: string): Promise<void> {
  const names = new Set(kept.map(({ name }) => name.toLowerCase()));
  for (const device of living(gateway))
    if (!names.has(device.name.toLowerCase())) await gateway.deleteDevice(device.id, actor);
}

async function applyDevice(wanted: ConfigDevice, gateway: GatewayService, actor: string): Promise<void> {
  const { name, publicKey, hasPresharedKey, isBlocked, owner, expiresAtUnixMs, ...members } = wanted;
  const device = named(wanted.name, gateway);
  if (device !== undefined) {
    if (device.publicKey !== publicKey && device.nextPublicKey !== publicKey)
      await gateway.reissueDevice(device.id, publicKey, actor);
    const change = changedMembers<DeviceChange>(device, { ...withoutGone(device, wanted), name, ...members });
    if (Object.keys(change).length > 0) await gateway.changeDevice(device.id, change, actor);
    return;
  }
  const added = await gateway.addDevice(
    {
      name,
      publicKey,
      ...members,
      ...(hasPresharedKey === undefined ? {} : { hasPresharedKey }),
      ...(owner === undefined || owner === null ? {} : { owner }),
      ...(expiresAtUnixMs === undefined || expiresAtUnixMs === null ? {} : { expiresAtUnixMs }),
    },
    actor,
  );
  if (isBlocked === true) await gateway.changeDevice(added.device.id, { isBlocked }, actor);
}

/** Members that `null` takes away, unless they are not there anyway. */
function withoutGone(device: GatewayDevice, { isBlocked, owner, expiresAtUnixMs }: ConfigDevice): DeviceChange {
  return {
    ...(isBlocked === undefined ? {} : { isBlocked }),
    ...(owner === undefined || (owner === null && device.owner === undefined) ? {} : { owner }),
    ...(expiresAtUnixMs === undefined || (expiresAtUnixMs === null && device.expiresAtUnixMs === undefined)
      ? {}
      : { expiresAtUnixMs }),
  };
}

/** Sets rules that differ, whatever their ids. A rule that was there keeps its id. */
async function applyRules(wanted: readonly AccessRule[], gateway: GatewayService, actor: string): Promise<void> {
  const resolved = wanted.map((rule) => withIds(rule, gateway));
  const current = gateway.rules();
  if (JSON.stringify(resolved.map(withoutId)) === JSON.stringify(current.map(withoutId))) return;
  const ids = new Map(current.map((rule) => [JSON.stringify(withoutId(rule)), rule.id]));
  const rules = resolved.map((rule) => ({ ...rule, id: ids.get(JSON.stringify(withoutId(rule))) ?? rule.id }));
  await gateway.setRules(rules, actor);
}

/** A rule with its members in one order, so that equal rules have equal texts. */
function withoutId({ action, from, to, protocol, ports }: AccessRule): object {
  const target = to.kind === 'prefix' ? { ...to, prefix: [[...to.prefix.address], to.prefix.prefixLength] } : to;
  return { action, from, to: target, protocol, ports };
}

function withIds(rule: AccessRule, gateway: GatewayService): AccessRule {
  return { ...rule, from: withId(rule.from, gateway), to: withId(rule.to, gateway) };
}

function withId<T extends Subject | AccessRule['to']>(subject: T, gateway: GatewayService): T {
  if (subject.kind !== 'device') return subject;
  return { ...subject, device: named(subject.device, gateway)?.id ?? subject.device };
}

function named(name: string, gateway: GatewayService): GatewayDevice | undefined {
  return living(gateway).find((device) => device.id === name || device.name.toLowerCase() === name.toLowerCase());
}

function living(gateway: GatewayService): GatewayDevice[] {
  return gateway
    .devices()
    .map(({ device }) => device)
    .filter(({ deletedAtUnixMs }) => deletedAtUnixMs === undefined);
}

/** Returns the members of `wanted` that are defined and differ. */
function changedMembers<T extends object>(current: object, wanted: T): Partial<T> {
  const differ = ([name, value]: [string, unknown]): boolean =>
    value !== undefined && canonical(value) !== canonical((current as Record<string, unknown>)[name]);
  return Object.fromEntries(Object.entries(wanted).filter(differ)) as Partial<T>;
}

/** JSON with members in one order. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  );
}

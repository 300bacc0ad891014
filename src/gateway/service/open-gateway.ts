import { openGatewayEngine } from '../engine/open-gateway-engine.js';
import type { GatewayEngine, NameSource, Opening, WrapSocket } from '../gateway-engine.js';
import type { GatewayDevice, GatewaySettings, GatewayState, UplinkKind } from '../gateway-model.js';
import type { GatewayStore } from '../gateway-store.js';
import { gatewayAddresses } from './address-pool.js';
import { enforceInvitations, engineDevice } from './engine-device.js';
import { RunningGateway } from './running-gateway.js';
import { checkSettings } from './settings-rules.js';

export interface OpenGatewayOptions {
  readonly store: GatewayStore;
  /** 32 bytes; the engine keeps a copy of its own. */
  readonly privateKey: Uint8Array;
  /** Makes the settings of the first run. */
  readonly firstSettings: () => GatewaySettings;
  readonly openings?: readonly Opening[];
  readonly uplink?: UplinkKind;
  /** Changes the socket of the engine: a hub relays there. */
  readonly wrapSocket?: WrapSocket;
  /** Names of devices, as a hub knows them. */
  readonly names?: NameSource;
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Loads the state of a gateway, starts its engine and puts all devices in force. The store belongs to the gateway then.
 *
 * @throws {WireGuardError} ERR_PORT_IN_USE, and those of the store. The store stays open.
 */
export async function openGateway(options: OpenGatewayOptions): Promise<RunningGateway> {
  const { store, privateKey, openings = [], uplink = 'sockets', wrapSocket, names, onFailure } = options;
  const state = (await store.load()) ?? (await firstState(options));
  const { settings } = state;
  const engine = await openGatewayEngine({
    privateKey,
    listenPort: settings.listenPort,
    addresses: gatewayAddresses(settings),
    mtu: settings.mtu,
    openings,
    timeZone: settings.timeZone,
    resolvers: settings.dns,
    uplink,
    ...(wrapSocket === undefined ? {} : { wrapSocket }),
    ...(names === undefined ? {} : { names }),
  });
  engine.setRules(state.rules);
  const living = state.devices.filter(({ deletedAtUnixMs }) => deletedAtUnixMs === undefined);
  for (const device of living) await engine.putDevice(engineDevice(device));
  await enforceInvitations(engine, state.invitations);
  for (const device of living) await restoreQuota(engine, store, device);
  const lastSeenUnixMs = await lastSeen(store, living);
  const gateway = new RunningGateway({
    engine,
    store,
    state,
    lastSeenUnixMs,
    ...(onFailure === undefined ? {} : { onFailure }),
  });
  await gateway.emptyBin();
  return gateway;
}

async function firstState({ store, firstSettings }: OpenGatewayOptions): Promise<GatewayState> {
  const settings = firstSettings();
  checkSettings(settings);
  const audit = { atUnixMs: Date.now(), actor: 'gateway', operation: 'gateway.first-run', details: {} };
  const revision = await store.commit({ settings, audit });
  return { settings, devices: [], rules: [], invitations: [], revision };
}

/** The traffic that was written down since the period began was used before this start. */
async function restoreQuota(engine: GatewayEngine, store: GatewayStore, { id, limits }: GatewayDevice): Promise<void> {
  const period = engine.status(id)?.report.quota;
  if (limits.quotaBytes === undefined || period === undefined) return;
  const samples = await store.traffic(id, period.startUnixMs, Date.now(), 1);
  const usedBytes = samples.reduce((sum, { receivedBytes, sentBytes }) => sum + receivedBytes + sentBytes, 0);
  engine.restoreQuota(id, { ...period, usedBytes });
}

async function lastSeen(store: GatewayStore, devices: readonly GatewayDevice[]): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (const { id } of devices) {
    const last = (await store.sessions(id, 0, Date.now())).at(-1);
    if (last !== undefined) seen.set(id, last.endUnixMs);
  }
  return seen;
}

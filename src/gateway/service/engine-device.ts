import { parseIpAddress } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import type { EngineDevice, GatewayEngine } from '../gateway-engine.js';
import type { GatewayDevice } from '../gateway-model.js';
import type { Invitation } from '../mesh-model.js';

/** Puts devices in force as they are now: those in the bin are refused. */
export async function enforce(engine: GatewayEngine, devices: readonly GatewayDevice[]): Promise<void> {
  for (const device of devices)
    if (device.deletedAtUnixMs === undefined) await engine.putDevice(engineDevice(device));
    else await engine.removeDevice(device.id);
}

/** Invitations are peers in a lobby, which nothing but the gateway's own page can be reached from. */
const INVITATION = 'invitation:';
const NOTHING = { internet: false, lan: false, devices: false };

/** Returns the id of the invitation whose lobby an engine's device stands in; `undefined`: it is no invitation. */
export function invitationOf(device: string): string | undefined {
  return device.startsWith(INVITATION) ? device.slice(INVITATION.length) : undefined;
}

/** Lets the hosts in that have an invitation. One that is used up stays until it expires, to be told so. */
export async function enforceInvitations(
  engine: GatewayEngine,
  put: readonly Invitation[],
  removed: readonly string[] = [],
): Promise<void> {
  for (const invitation of put) await engine.putDevice(lobbyDevice(invitation));
  for (const id of removed) await engine.removeDevice(INVITATION + id);
}

function lobbyDevice({ id, publicKey, address, expiresAtUnixMs }: Invitation): EngineDevice {
  return {
    id: INVITATION + id,
    publicKey: parseKey(publicKey, 'public key'),
    addresses: [parseIpAddress(address)!],
    tags: [],
    switches: NOTHING,
    limits: {},
    isBlocked: true,
    expiresAtUnixMs,
  };
}

/** Returns a device as the engine takes it. */
export function engineDevice(device: GatewayDevice): EngineDevice {
  const { id, tags, switches, limits, isBlocked, expiresAtUnixMs, nextPublicKey, presharedKey } = device;
  return {
    id,
    tags,
    switches,
    limits,
    isBlocked,
    addresses: device.addresses.map((address) => parseIpAddress(address)!),
    publicKey: parseKey(device.publicKey, 'public key'),
    ...(expiresAtUnixMs === undefined ? {} : { expiresAtUnixMs }),
    ...(nextPublicKey === undefined ? {} : { nextPublicKey: parseKey(nextPublicKey, 'public key') }),
    ...(presharedKey === undefined ? {} : { presharedKey: parseKey(presharedKey, 'preshared key') }),
  };
}

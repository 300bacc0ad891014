import { parseIpAddress } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import type { EngineDevice, GatewayEngine } from '../gateway-engine.js';
import type { GatewayDevice } from '../gateway-model.js';

/** Puts devices in force as they are now: those in the bin are refused. */
export async function enforce(engine: GatewayEngine, devices: readonly GatewayDevice[]): Promise<void> {
  for (const device of devices)
    if (device.deletedAtUnixMs === undefined) await engine.putDevice(engineDevice(device));
    else await engine.removeDevice(device.id);
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

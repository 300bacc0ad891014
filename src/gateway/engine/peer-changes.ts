import type { PeerChange } from '../../core/configuration.js';
import type { EngineDevice } from '../gateway-engine.js';
import { keysOf } from './device-table.js';

const NO_PRESHARED_KEY = new Uint8Array(32);

/** Returns the changes of peers that make one device of another: of nothing, or into nothing, where one is absent. */
export function peerChanges(before: EngineDevice | undefined, after: EngineDevice | undefined): PeerChange[] {
  const kept = after === undefined ? [] : keysOf(after);
  const gone = before === undefined ? [] : keysOf(before).filter((key) => !kept.some((other) => equals(key, other)));
  return [...gone.map(removal), ...(after === undefined ? [] : kept.map((key) => addition(after, key)))];
}

/** The addresses belong to the present key: a peer of the next key has none before its first handshake. */
function addition({ publicKey, presharedKey, addresses }: EngineDevice, key: Uint8Array): PeerChange {
  const own = equals(key, publicKey) ? addresses : [];
  return {
    publicKey: key,
    isRemoval: false,
    isUpdateOnly: false,
    presharedKey: presharedKey ?? NO_PRESHARED_KEY,
    replaceAllowedIps: true,
    allowedIps: own.map((address) => ({ address, prefixLength: 8 * address.length, isRemoval: false })),
  };
}

function removal(publicKey: Uint8Array): PeerChange {
  return { publicKey, isRemoval: true, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] };
}

export function equals(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

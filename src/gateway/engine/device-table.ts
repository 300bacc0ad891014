import { copySecret } from '../../core/secret-bytes.js';
import type { PeerView } from '../../core/session/peer-view.js';
import { addressWords } from '../../netstack/address.js';
import type { EngineDevice } from '../gateway-engine.js';
import type { ProofStep } from '../gateway-service.js';

/** A device with what the engine has seen of it. */
export interface DeviceEntry {
  device: EngineDevice;
  /** The peers of the device: of its key, and of its next one. */
  peers: readonly PeerView[];
  readonly proof: Partial<Record<ProofStep, number>>;
  /** Payload of peers that the device no longer has. */
  earlierReceivedBytes: number;
  earlierSentBytes: number;
}

/** The devices of an engine: by id, by inner address and by key. */
export class DeviceTable {
  readonly #entries = new Map<string, DeviceEntry>();
  readonly #byAddress = new Map<string, string>();
  readonly #byKey = new Map<string, string>();

  get entries(): Iterable<DeviceEntry> {
    return this.#entries.values();
  }

  get(id: string): DeviceEntry | undefined {
    return this.#entries.get(id);
  }

  ofAddress(address: Int32Array): string | undefined {
    return this.#byAddress.get(address.join());
  }

  ofKey(publicKey: Uint8Array): DeviceEntry | undefined {
    return this.#entries.get(this.#byKey.get(keyName(publicKey)) ?? '');
  }

  /** Adds a device, or takes its new settings. Secrets are copied. */
  put(given: EngineDevice): DeviceEntry {
    const { presharedKey } = given;
    const device = presharedKey === undefined ? given : { ...given, presharedKey: copySecret(presharedKey) };
    const known = this.#entries.get(device.id);
    if (known !== undefined) this.#forget(known);
    const entry = known ?? { device, peers: [], proof: {}, earlierReceivedBytes: 0, earlierSentBytes: 0 };
    entry.device = device;
    this.#entries.set(device.id, entry);
    for (const address of device.addresses) this.#byAddress.set(addressWords(address).join(), device.id);
    for (const key of keysOf(device)) this.#byKey.set(keyName(key), device.id);
    return entry;
  }

  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#forget(entry);
    this.#entries.delete(id);
  }

  /** Wipes the secrets. */
  clear(): void {
    for (const id of [...this.#entries.keys()]) this.remove(id);
  }

  #forget({ device }: DeviceEntry): void {
    device.presharedKey?.fill(0);
    for (const address of device.addresses) this.#byAddress.delete(addressWords(address).join());
    for (const key of keysOf(device)) this.#byKey.delete(keyName(key));
  }
}

/** The public keys of a device: the present one first. */
export function keysOf({ publicKey, nextPublicKey }: EngineDevice): Uint8Array[] {
  return nextPublicKey === undefined ? [publicKey] : [publicKey, nextPublicKey];
}

function keyName(publicKey: Uint8Array): string {
  return Buffer.from(publicKey).toString('latin1');
}

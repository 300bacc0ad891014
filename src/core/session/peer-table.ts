import type { DeviceChange } from '../configuration.js';
import type { Peer } from './peer.js';

/** The peers of a device by public key, in the order in which they were added. */
export class PeerTable {
  readonly #byKey = new Map<string, Peer>();

  get size(): number {
    return this.#byKey.size;
  }

  get(publicKey: Uint8Array): Peer | undefined {
    return this.#byKey.get(nameOf(publicKey));
  }

  add(peer: Peer): void {
    this.#byKey.set(nameOf(peer.staticPublic), peer);
  }

  delete(peer: Peer): void {
    this.#byKey.delete(nameOf(peer.staticPublic));
  }

  values(): IterableIterator<Peer> {
    return this.#byKey.values();
  }

  /** How many peers there would be once `change` was applied. */
  sizeAfter(change: DeviceChange): number {
    const keys = new Set(change.replacePeers ? [] : this.#byKey.keys());
    let greatest = keys.size;
    for (const { publicKey, isRemoval, isUpdateOnly } of change.peers) {
      if (isRemoval) keys.delete(nameOf(publicKey));
      else if (!isUpdateOnly) keys.add(nameOf(publicKey));
      greatest = Math.max(greatest, keys.size);
    }
    return greatest;
  }
}

/** A string, since maps compare arrays by identity. Public keys are no secret. */
function nameOf(publicKey: Uint8Array): string {
  return String.fromCharCode(...publicKey);
}

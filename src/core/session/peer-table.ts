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

  /** Whether there are never more than `limit` peers while `change` is applied. */
  hasRoomFor(change: DeviceChange, limit: number): boolean {
    if (this.size + change.peers.length <= limit) return true;
    const keys = new Set(change.replacePeers ? [] : this.#byKey.keys());
    for (const { publicKey, isRemoval, isUpdateOnly } of change.peers) {
      if (isRemoval) keys.delete(nameOf(publicKey));
      else if (!isUpdateOnly) keys.add(nameOf(publicKey));
      if (keys.size > limit) return false;
    }
    return true;
  }
}

/** Returns a key as a string, since maps compare arrays by identity. Public keys are no secret. */
function nameOf(publicKey: Uint8Array): string {
  return String.fromCharCode(...publicKey);
}

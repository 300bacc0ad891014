import { newPeerChange } from './set-arguments.js';
import type { WgChange } from './wg-change.js';
import type { WgDevice } from './wg-device.js';

const KEY_BYTES = 32;

/**
 * Turns a change that replaces all peers into a change that leaves sessions alone: peers that the file does
 * not have are removed one by one, and a preshared key or keepalive that the file no longer has is switched off.
 *
 * Leaves a change without peers, or for a device without peers, as it is.
 */
export function toSyncChange(change: WgChange, device: WgDevice): void {
  if (change.peers.length === 0 || device.peers.length === 0) return;
  change.replacePeers = false;

  const said = new Map(change.peers.toReversed().map((peer) => [keyText(peer.publicKey), peer]));
  const gone: Uint8Array[] = [];
  for (const { publicKey, presharedKey, persistentKeepaliveSeconds } of device.peers) {
    const peer = said.get(keyText(publicKey));
    if (peer === undefined) {
      gone.push(publicKey);
      continue;
    }
    if (presharedKey !== undefined) peer.presharedKey ??= new Uint8Array(KEY_BYTES);
    if (persistentKeepaliveSeconds !== 0) peer.persistentKeepaliveSeconds ??= 0;
  }
  gone.sort((a, b) => Buffer.compare(b, a));
  change.peers = [...gone.map((publicKey) => ({ ...newPeerChange(publicKey), isRemoval: true })), ...change.peers];
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

import type { ChangeText, PeerChangeText } from '../../control/uapi-change-text.js';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The change that a command builds up. */
export type WgChange = Omit<Writable<ChangeText>, 'peers'> & { peers: WgPeerChange[] };

export type WgPeerChange = Omit<Writable<PeerChangeText>, 'allowedIps'> & { allowedIps: string[] };

/** Wipes the secret keys. */
export function clearChange(change: WgChange): void {
  change.privateKey?.fill(0);
  for (const { presharedKey } of change.peers) presharedKey?.fill(0);
}

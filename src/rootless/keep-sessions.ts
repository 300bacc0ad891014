import type { PeerChange } from '../core/configuration.js';
import type { PeerView } from '../core/session/peer-view.js';

const NO_KEY = new Uint8Array(32);

/**
 * Turns the peers of a file into a change after which a device has these peers and no others. Peers that it has already keep
 * their sessions: only what differs changes.
 */
export function keepSessions(
  wanted: readonly PeerChange[],
  present: Iterable<Pick<PeerView, 'publicKey'>>,
): readonly PeerChange[] {
  const keys = new Set(wanted.map(({ publicKey }) => keyText(publicKey)));
  const gone = [...present].filter(({ publicKey }) => !keys.has(keyText(publicKey)));
  const removals = gone.map(
    ({ publicKey }): PeerChange => ({
      publicKey,
      isRemoval: true,
      isUpdateOnly: false,
      replaceAllowedIps: false,
      allowedIps: [],
    }),
  );
  const changes = wanted.map(
    (peer): PeerChange => ({ presharedKey: NO_KEY, persistentKeepaliveSeconds: 0, ...peer, replaceAllowedIps: true }),
  );
  return [...removals, ...changes];
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseIpPrefix } from '../../src/control/ip-text.js';
import type { PeerChange } from '../../src/core/configuration.js';
import { keepSessions } from '../../src/rootless/keep-sessions.js';

const [stays, comes, goes] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));

function peer(publicKey: Uint8Array, parts: Partial<PeerChange> = {}): PeerChange {
  const allowedIps = [{ ...parseIpPrefix('10.0.0.0/24')!, isRemoval: false }];
  return { publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps, ...parts };
}

describe('the peers of a file, in place of those of a device', () => {
  it('remove the peers that the file does not have, and no others', () => {
    const changes = keepSessions([peer(stays!), peer(comes!)], [{ publicKey: goes! }, { publicKey: stays! }]);

    assert.deepEqual(
      changes.map(({ publicKey, isRemoval }) => [publicKey[0], isRemoval]),
      [
        [3, true],
        [1, false],
        [2, false],
      ],
    );
  });

  it('switch off what the file no longer has: preshared key, keepalive, other prefixes', () => {
    const presharedKey = new Uint8Array(32).fill(9);
    const [bare, full] = keepSessions(
      [peer(stays!), peer(comes!, { presharedKey, persistentKeepaliveSeconds: 25 })],
      [{ publicKey: stays! }],
    );

    assert.deepEqual(bare!.presharedKey, new Uint8Array(32));
    assert.deepEqual([bare!.persistentKeepaliveSeconds, bare!.replaceAllowedIps], [0, true]);
    assert.deepEqual([full!.presharedKey, full!.persistentKeepaliveSeconds], [presharedKey, 25]);
  });
});

import assert from 'node:assert/strict';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as fc from 'fast-check';

import { SavedState } from '../../../src/cli/daemon/saved-state.js';
import { StateKeeper } from '../../../src/cli/daemon/state-keeper.js';
import type { DeviceState } from '../../../src/control/device-control.js';
import { parseIpPrefix } from '../../../src/control/ip-text.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

describe('SavedState', () => {
  let descriptor: number;
  let state: SavedState;

  beforeEach(() => {
    descriptor = SavedState.create();
    state = new SavedState(descriptor);
  });
  afterEach(() => closeSync(descriptor));

  it('is a file without a name, for its owner only', () => {
    const { nlink, mode } = fstatSync(descriptor);
    assert.equal(nlink, 0);
    assert.equal(mode & 0o777, 0o600);
  });

  it('has nothing at first', () => {
    assert.equal(state.isWritten, false);
    assert.equal(state.read(), undefined);
  });

  it('has the text that was written last, whatever the lengths, also through another object', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1 }), (texts) => {
        for (const text of texts) state.write(text);
        assert.deepEqual(new Uint8Array(new SavedState(descriptor).read()!), texts.at(-1));
      }),
      { numRuns: 200 },
    );
    assert.ok(fstatSync(descriptor).size < 3_000, 'it does not grow');
  });

  it('keeps nothing of the text before', () => {
    state.write(Buffer.from('an old secret'));
    state.write(Buffer.from('new'));
    state.write(Buffer.from('newer and longer than all others'));
    const all = readAll(descriptor);
    assert.ok(!all.includes('secret') && !all.includes('old'), all);
  });
});

describe('StateKeeper', () => {
  it('gives the next daemon the configuration of the last one', () => {
    const descriptor = SavedState.create();
    try {
      const state: DeviceState = {
        privateKey: new Uint8Array(32).fill(0x48),
        listenPort: 51_820,
        fwmark: 7,
        peers: [
          {
            publicKey: new Uint8Array(32).fill(1),
            presharedKey: new Uint8Array(32).fill(2),
            endpoint: Endpoint.from(Uint8Array.of(0xfe, 0x80, ...new Array(14).fill(1)), 9, 77),
            persistentKeepaliveSeconds: 25,
            rxBytes: 1,
            txBytes: 2,
            lastHandshakeUnixMs: 3,
            allowedIps: [parseIpPrefix('10.0.0.0/8')!, parseIpPrefix('fd00::/8')!],
          },
        ],
      };
      new StateKeeper(new SavedState(descriptor), () => state).save();
      const change = new StateKeeper(new SavedState(descriptor), () => state).restored()!;

      assert.deepEqual([change.listenPort, change.fwmark, change.replacePeers], [51_820, 7, true]);
      assert.deepEqual(change.privateKey, state.privateKey);
      const [peer] = change.peers;
      const [{ publicKey, presharedKey, endpoint, persistentKeepaliveSeconds }] = state.peers;
      assert.deepEqual(peer.publicKey, publicKey);
      assert.deepEqual(peer.presharedKey, presharedKey);
      assert.deepEqual(peer.endpoint?.words, endpoint?.words, 'also on an interface that is gone');
      assert.equal(peer.persistentKeepaliveSeconds, persistentKeepaliveSeconds);
      assert.equal(peer.allowedIps.length, 2);
    } finally {
      closeSync(descriptor);
    }
  });

  it('finds nothing where no daemon was before', () => {
    const descriptor = SavedState.create();
    const none: DeviceState = { privateKey: undefined, listenPort: 0, fwmark: 0, peers: [] };
    assert.equal(new StateKeeper(new SavedState(descriptor), () => none).restored(), undefined);
    closeSync(descriptor);
  });
});

function readAll(descriptor: number): string {
  const bytes = Buffer.alloc(fstatSync(descriptor).size);
  readSync(descriptor, bytes, 0, bytes.length, 0);
  return bytes.toString('latin1');
}

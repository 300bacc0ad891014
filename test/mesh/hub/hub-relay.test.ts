/** The nodes whose probes a hub answers, and those that it relays for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatKey } from '../../../src/control/key-text.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import { HubRelay } from '../../../src/mesh/hub/hub-relay.js';
import type { NodeDevice } from '../../../src/mesh/hub/node-devices.js';
import { EventQueue } from '../../../src/sim/event-queue.js';
import { VirtualClock } from '../../../src/sim/virtual-clock.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

const SOMEWHERE = Endpoint.from(Uint8Array.of(192, 0, 2, 1), 1_000);

describe('HubRelay', () => {
  it('has the key of a node that waits for its signature for probes alone, until the node is signed or removed', () => {
    const relay = new HubRelay({
      crypto: new NodeCrypto(),
      clock: new VirtualClock(new EventQueue(0)),
      neighbours: () => [],
      sees: () => true,
    });
    const keys = (): string[] => [...relay.keysAt(SOMEWHERE)].map(formatKey);
    const device = nodeOf('a', 1);

    relay.putWaiting(device);
    assert.deepEqual([keys(), relay.table.node('a')], [[device.publicKey], undefined]);
    relay.putNode(device);
    assert.deepEqual([keys(), relay.table.node('a')?.id], [[device.publicKey], 'a']);
    relay.putWaiting(device);
    assert.equal(relay.table.node('a'), undefined, 'an administrator may change what was signed');
    relay.removeNode('a');
    assert.deepEqual(keys(), []);
  });
});

function nodeOf(id: string, byte: number): NodeDevice {
  return { id, publicKey: formatKey(new Uint8Array(32).fill(byte)), limits: {} } as unknown as NodeDevice;
}

/** The directory of nodes: names, records, and which of them learn of each other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { MeshSettings } from '../../../src/gateway/mesh-model.js';
import type { NodeDevice } from '../../../src/mesh/hub/node-devices.js';
import { labelOf, NodeDirectory } from '../../../src/mesh/hub/node-directory.js';
import { SigningKey } from '../../../src/mesh/records/signing.js';
import type { AccessRule } from '../../../src/policy/access.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const NOW = Date.UTC(2026, 0, 1);

describe('The nodes of a hub', () => {
  it('see each other, have records, and are found by their labels', () => {
    const nodes = open('auto');
    put(nodes, agent('a', 'My Laptop'), agent('b', 'server'));
    assert.deepEqual(nodes.introducedTo('a'), ['a', 'b']);
    assert.equal(nodes.entryOf('b')!.record.name, 'server');
    assert.deepEqual([nodes.addressesOf('my-laptop'), nodes.addressesOf('nobody')], [['10.0.0.2'], []]);
    nodes.remove('b');
    nodes.changed();
    assert.deepEqual(
      [nodes.introducedTo('a'), nodes.entryOf('b'), nodes.addressesOf('server')],
      [['a'], undefined, []],
    );
  });

  it('learn of a stock node only if its file names them', () => {
    const nodes = open('auto');
    put(nodes, agent('a', 'a'), agent('b', 'b'), stock('c', ['a']));
    assert.deepEqual(
      [nodes.seesRecord('a', 'c'), nodes.seesRecord('b', 'c'), nodes.sees('b', 'c')],
      [true, false, true],
    );
  });

  it('learn of nobody whom a rule hides from them', () => {
    const rules: AccessRule[] = [{ id: 'r', action: 'deny', from: { kind: 'everyone' }, to: { kind: 'everyone' } }];
    const nodes = open('auto', rules);
    put(nodes, agent('a', 'a'), agent('b', 'b'));
    assert.deepEqual([nodes.seesRecord('a', 'b'), nodes.rulesOf('a').length], [false, 1]);
    assert.deepEqual(nodes.seenBy(stock('c', [])), [], 'nor does the file of a new stock node name them');
  });

  it('are told of the end of those whom they saw, or of whom nothing is known any more', () => {
    const rules: AccessRule[] = [{ id: 'r', action: 'deny', from: { kind: 'everyone' }, to: { kind: 'everyone' } }];
    const hidden = open('auto', rules);
    const shown = open('auto');
    for (const nodes of [hidden, shown]) {
      put(nodes, agent('a', 'a'), agent('b', 'b'), stock('c', []));
      for (const id of ['b', 'c']) nodes.remove(id);
      nodes.changed();
    }
    const told = (nodes: NodeDirectory) => ['b', 'c', 'unknown'].filter((gone) => nodes.sawRecord('a', gone));
    assert.deepEqual([told(hidden), told(shown)], [['unknown'], ['b', 'unknown']]);
  });

  it('that wait for a signature learn of nobody, and have no record', () => {
    const nodes = open('locked');
    put(nodes, agent('a', 'a'), agent('b', 'b'));
    assert.deepEqual(
      [nodes.isWaiting(agent('a', 'a')), nodes.introducedTo('a'), nodes.entryOf('a')],
      [true, [], undefined],
    );
  });

  it('have records that are renewed in time', () => {
    let now = NOW;
    const nodes = open('auto', [], () => now);
    put(nodes, agent('a', 'a'));
    const { notAfterUnixMs } = nodes.entryOf('a')!.record;
    assert.deepEqual(nodes.dueRecords(now), []);
    now += 4 * 86_400_000;
    assert.deepEqual(nodes.dueRecords(now), ['a']);
    assert.ok(nodes.entryOf('a')!.record.notAfterUnixMs > notAfterUnixMs);
  });

  it('have labels that DNS takes', () => {
    assert.deepEqual(['Böse Box!', '-x-', 'a.b'].map(labelOf), ['b-se-box', 'x', 'a-b']);
  });
});

function open(mode: 'auto' | 'locked', rules: readonly AccessRule[] = [], nowUnixMs = () => NOW): NodeDirectory {
  const nodes = new NodeDirectory({ rules: () => rules, revision: () => 1, nowUnixMs });
  const mesh: MeshSettings = { name: 'home', networkId: Buffer.alloc(16, 1).toString('base64'), mode, signingKey: KEY };
  nodes.begin(mesh, mode === 'auto' ? SigningKey.generate() : undefined);
  return nodes;
}

function put(nodes: NodeDirectory, ...devices: readonly NodeDevice[]): void {
  for (const device of devices) nodes.put(device);
  nodes.changed();
}

function agent(id: string, name: string): NodeDevice {
  return device(id, name, { identityKey: KEY, routes: [], offeredRoutes: [] });
}

function stock(id: string, knows: readonly string[]): NodeDevice {
  return device(id, id, { knows, routes: [], offeredRoutes: [] });
}

function device(id: string, name: string, node: NodeDevice['node']): NodeDevice {
  return {
    id,
    name,
    node,
    publicKey: KEY,
    addresses: ['10.0.0.2'],
    tags: [],
    note: '',
    switches: { internet: true, lan: true, devices: true },
    limits: {},
    isBlocked: false,
    createdAtUnixMs: 0,
  };
}

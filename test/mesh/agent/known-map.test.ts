/** The belief of an agent in a map: a hub that lies adds nobody and changes nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { KnownMap } from '../../../src/mesh/agent/known-map.js';
import { peerChanges, wantedPeers } from '../../../src/mesh/agent/wanted-peers.js';
import type { HubInfo, MapEntry, MapMessage } from '../../../src/mesh/map/messages.js';
import { keySignedBytes, networkSignedBytes } from '../../../src/mesh/records/node-record.js';
import { SigningKey } from '../../../src/mesh/records/signing.js';

const NETWORK = Buffer.alloc(16, 1);
const NOW = Date.UTC(2026, 0, 1);
const network = SigningKey.generate();
const identity = SigningKey.generate();

describe('A map', () => {
  it('adds, changes and removes nodes whose records are signed', () => {
    const map = open();
    assert.deepEqual(map.apply(message({ full: true, put: [entry(1), entry(2)] }), NOW), []);
    assert.deepEqual([...map.entries.keys()], [id(1), id(2)]);
    map.apply(message({ del: [id(1)], put: [entry(2, { tags: ['web'], serial: 2 })] }), NOW);
    assert.deepEqual(
      [...map.entries.values()].map(({ record }) => record.tags),
      [['web']],
    );
    map.apply(message({ full: true, put: [] }), NOW);
    assert.equal(map.entries.size, 0, 'an empty full map says that there is nobody');
  });

  it('leaves everything as it is where nothing is said', () => {
    const map = open();
    map.apply(message({ full: true, put: [entry(1)] }), NOW);
    map.apply(message({}), NOW);
    assert.equal(map.entries.size, 1);
  });

  it('of a hub that lies is refused, and the last good record stays', () => {
    const map = open();
    map.apply(message({ full: true, put: [entry(1)] }), NOW);
    const stranger = SigningKey.generate();
    const lies: readonly [string, MapEntry][] = [
      ['network-signature', entry(3, {}, stranger)],
      ['network-signature', { ...entry(1), record: { ...entry(1).record, addresses: ['10.0.0.66'] } }],
      [
        'key-signature',
        { ...entry(1), record: { ...entry(1).record, publicKey: Buffer.alloc(32, 66).toString('base64') } },
      ],
      ['expired', entry(1, { notAfterUnixMs: NOW - 1, serial: 9 })],
    ];
    for (const [problem, lie] of lies)
      assert.deepEqual(
        map.apply(message({ put: [lie] }), NOW).map((refused) => refused.problem),
        [problem],
      );
    assert.deepEqual(
      [...map.entries.values()].map(({ record }) => record.addresses),
      [['10.0.0.1']],
    );
    assert.equal(map.entries.has(id(3)), false);
  });

  it('never goes back to a record that was replaced', () => {
    const map = open();
    map.apply(message({ full: true, put: [entry(1, { serial: 5, tags: ['new'] })] }), NOW);
    const [refused] = map.apply(message({ put: [entry(1, { serial: 4 })] }), NOW);
    assert.equal(refused?.problem, 'older');
    map.apply(message({ del: [id(1)] }), NOW);
    assert.equal(
      map.apply(message({ put: [entry(1, { serial: 4 })] }), NOW)[0]?.problem,
      'older',
      'not even after it was away',
    );
  });

  it('is asked for as a whole again while records of it were refused: the hub takes them for known', () => {
    const map = open();
    map.apply(message({ full: true, put: [entry(1)], rev: 5 }), NOW);
    assert.equal(map.rev, 5);
    map.apply(message({ put: [entry(2)], rev: 6 }), NOW * 2);
    assert.deepEqual([map.rev, map.refused.get(id(2))?.problem], [undefined, 'expired']);
    map.apply(message({ put: [entry(2)], rev: 7 }), NOW);
    assert.deepEqual([map.rev, map.refused.size], [7, 0]);
    map.expire(NOW * 2);
    assert.equal(map.rev, undefined, 'a clock that was wrong let all go: they have to come back');
  });

  it('remembers few lies, however many a hub tells', () => {
    const map = open();
    const lie = entry(1, { serial: 1 }, SigningKey.generate());
    for (let number = 0; number < 1_000; number++)
      map.apply(
        message({ put: [{ ...lie, record: { ...lie.record, id: number.toString(16).padStart(12, '0') } }] }),
        NOW,
      );
    assert.deepEqual([map.refused.size, map.entries.size], [100, 0]);
  });

  it('lets nodes go whose time is over', () => {
    const map = open();
    map.apply(message({ full: true, put: [entry(1, { notAfterUnixMs: NOW + 10 }), entry(2)] }), NOW);
    assert.equal(map.nextExpiryUnixMs, NOW + 10);
    assert.deepEqual(map.expire(NOW + 11), [id(1)]);
  });
});

describe('The peers of a map', () => {
  const hub: HubInfo = {
    publicKey: Buffer.alloc(32, 9).toString('base64'),
    endpoint: 'hub:1',
    addresses: ['10.0.0.254'],
    subnets: ['10.0.0.0/24'],
  };
  const wanted = (entries: readonly MapEntry[], mode: 'auto' | 'locked' = 'auto', exitNode?: string) =>
    wantedPeers({ hub, mode, entries, exitNode, movedTo: new Map() });

  it('give a locked hub its own addresses alone: it could stand in for a node that it hides', () => {
    assert.deepEqual(wanted([], 'auto')[0]!.allowedIps, ['10.0.0.254/32', '10.0.0.0/24']);
    assert.deepEqual(wanted([], 'locked')[0]!.allowedIps, ['10.0.0.254/32']);
  });

  it('send everything else to the node alone that was chosen as exit', () => {
    const exits = [entry(1, { routes: ['0.0.0.0/0', '192.168.1.0/24'] }), entry(2, { routes: ['0.0.0.0/0'] })];
    assert.deepEqual(
      wanted(exits)
        .map(({ allowedIps }) => allowedIps)
        .slice(1),
      [['10.0.0.1/32', '192.168.1.0/24'], ['10.0.0.2/32']],
    );
    assert.deepEqual(wanted(exits, 'auto', id(2))[2]!.allowedIps, ['10.0.0.2/32', '0.0.0.0/0']);
  });

  it('that stay as they are are not touched', () => {
    const before = wanted([entry(1), entry(2)]);
    assert.deepEqual(peerChanges(before, wanted([entry(1), entry(2)])), []);
    const changes = peerChanges(before, wanted([entry(2, { routes: ['10.9.0.0/16'] })]));
    assert.deepEqual(
      changes.map(({ isRemoval, allowedIps }) => [isRemoval, allowedIps.length]),
      [
        [true, 0],
        [false, 2],
      ],
    );
  });
});

type Changes = Pick<MapEntry['record'], 'tags' | 'routes' | 'notAfterUnixMs' | 'serial'>;

function open(): KnownMap {
  return new KnownMap({
    networkId: NETWORK.toString('base64'),
    signingKey: Buffer.from(network.publicKey).toString('base64'),
    entries: [],
    rules: [],
    seen: {},
  });
}

function message(parts: Partial<MapMessage>): MapMessage {
  return { type: 'map', rev: 1, full: false, put: [], del: [], unixMs: NOW, ...parts };
}

function entry(number: number, changes: Partial<Changes> = {}, signer = network): MapEntry {
  const publicKey = Buffer.alloc(32, number).toString('base64');
  const fields = {
    name: `node-${number}`,
    addresses: [`10.0.0.${number}`],
    tags: [],
    routes: [],
    identityKey: Buffer.from(identity.publicKey).toString('base64'),
    notAfterUnixMs: NOW + 1_000_000,
    serial: 1,
    ...changes,
  };
  const signature = Buffer.from(signer.sign(networkSignedBytes(NETWORK, id(number), fields))).toString('base64');
  const keySignature = Buffer.from(identity.sign(keySignedBytes(NETWORK, id(number), publicKey, 1))).toString('base64');
  return { record: { ...fields, id: id(number), publicKey, keySeq: 1, keySignature, signature }, mayBegin: true };
}

function id(number: number): string {
  return number.toString(16).padStart(12, '0');
}

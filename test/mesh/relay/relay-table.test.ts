/** The blind relay: the destination of each message, and what nobody can make it do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import { MAX_FLOWS_PER_NODE } from '../../../src/mesh/relay/relay-node.js';
import { RelayTable } from '../../../src/mesh/relay/relay-table.js';
import { Endpoint } from '../../../src/wire/endpoint.js';
import { mac1 } from '../../../src/wire/handshake-macs.js';
import { writeInt32 } from '../../../src/wire/little-endian.js';

const crypto = new NodeCrypto();
const HUB = generateKeyPair().publicKey;
const KEYS = { a: generateKeyPair().publicKey, b: generateKeyPair().publicKey, c: generateKeyPair().publicKey };
const PLACES = { a: endpoint(1), b: endpoint(2), c: endpoint(3), stranger: endpoint(9) };
type Name = keyof typeof KEYS;

describe('The relay', () => {
  it('carries a handshake and what follows to the two ends and to nobody else', () => {
    const table = open();
    assert.deepEqual(judge(table, 'a', initiation(KEYS.b, 11)), ['relayed', 'b']);
    assert.deepEqual(judge(table, 'b', response(22, 11)), ['relayed', 'a']);
    assert.deepEqual(judge(table, 'a', transport(22)), ['relayed', 'b']);
    assert.deepEqual(judge(table, 'b', transport(11)), ['relayed', 'a']);
    assert.deepEqual(judge(table, 'b', cookie(11)), ['relayed', 'a']);
    assert.deepEqual(judge(table, 'c', transport(22)), ['hub'], 'an index is of use to those alone whom it was shown');
  });

  it('leaves to the hub what is for the hub, and everything from strangers', () => {
    const table = open();
    assert.deepEqual(judge(table, 'a', initiation(HUB, 5)), ['hub']);
    assert.deepEqual(judge(table, 'a', transport(77)), ['hub']);
    assert.deepEqual(judge(table, 'stranger', initiation(KEYS.b, 5)), ['hub']);
    assert.deepEqual(judge(table, 'stranger', transport(77)), ['hub']);
  });

  it('drops initiations for nobody, and for nodes that the rules hide', () => {
    const table = open({ neighbours: (id) => (id === 'a' ? ['b'] : ['a', 'b', 'c']) });
    assert.deepEqual(judge(table, 'a', initiation(generateKeyPair().publicKey, 1)), ['dropped']);
    assert.deepEqual(judge(table, 'a', initiation(KEYS.c, 2)), ['dropped']);
    assert.equal(table.node('a')!.counts.refusedInitiations, 2);
  });

  it('lets a node take its flows along when it moves, and never sends to where it was', () => {
    const table = open();
    judge(table, 'a', initiation(KEYS.b, 11));
    judge(table, 'b', response(22, 11));
    table.setEndpoint('b', endpoint(50), 0);
    judge(table, 'a', transport(22));
    assert.deepEqual(
      table.to.map((node) => node.endpoint!.port),
      [50],
    );
    assert.deepEqual(judge(table, 'b', transport(11)), ['relayed', 'a'], 'what was on its way still counts');
    table.expire(9_999);
    assert.deepEqual(judge(table, 'b', transport(11)), ['relayed', 'a'], 'also by a slow way');
    table.expire(10_000);
    assert.deepEqual(judge(table, 'b', transport(11)), ['hub'], 'later the old address is a stranger');
  });

  it('forgets a flow when its session can no longer live, and when a node is removed', () => {
    const table = open();
    judge(table, 'a', initiation(KEYS.b, 11), 0);
    judge(table, 'b', response(22, 11), 1_000);
    assert.deepEqual(judge(table, 'a', transport(22), 200_000), ['relayed', 'b']);
    table.expire(201_001);
    assert.deepEqual(judge(table, 'a', transport(22), 201_001), ['hub']);
    judge(table, 'a', initiation(KEYS.b, 12), 300_000);
    table.removeNode('a');
    assert.equal(table.node('b')!.flows.size, 0);
    assert.deepEqual(judge(table, 'b', response(23, 12), 300_000), ['hub']);
  });

  it('knows that an initiation was answered, also by a handshake that the other node began later', () => {
    const table = open();
    const [a, b] = [table.node('a')!, table.node('b')!];
    judge(table, 'a', initiation(KEYS.b, 11), 0);
    assert.equal(a.isAnsweredBy(b), false);
    judge(table, 'b', initiation(KEYS.a, 22), 1_000);
    assert.equal(a.isAnsweredBy(b), false);
    judge(table, 'a', response(12, 22), 1_100);
    assert.deepEqual([a.isAnsweredBy(b), b.isAnsweredBy(a)], [true, true]);
    judge(table, 'a', initiation(KEYS.b, 13), 2_000);
    assert.equal(a.isAnsweredBy(b), false, 'a later one was not');
    judge(table, 'b', response(23, 13), 2_100);
    assert.equal(a.isAnsweredBy(b), true);
  });

  it('sends to both where two flows of a node have one index', () => {
    const table = open();
    judge(table, 'b', initiation(KEYS.a, 7));
    judge(table, 'c', initiation(KEYS.a, 7));
    const [verdict, ...to] = judge(table, 'a', response(30, 7));
    assert.deepEqual([verdict, to.sort()], ['relayed', ['b', 'c']]);
    table.removeNode('c');
    assert.deepEqual(judge(table, 'a', response(31, 7)), ['relayed', 'b']);
  });

  it('bounds the initiations and the flows of a node', () => {
    const table = open();
    let relayed = 0;
    for (let index = 0; index < 400; index++)
      if (judge(table, 'a', initiation(KEYS.b, index), 0)[0] === 'relayed') relayed++;
    assert.equal(relayed, 100, 'a burst');
    for (let index = 0; index < 20_000; index++)
      judge(table, 'a', initiation(KEYS.b, 1_000 + index), 1_000 + index * 50);
    assert.ok(table.node('b')!.flows.size <= MAX_FLOWS_PER_NODE);
  });

  it('never sends more than it got, nor to an address that nobody has proved, whatever comes', () => {
    const table = open();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.integer({ min: 1, max: 4 }), fc.uint8Array({ minLength: 144, maxLength: 144 }))
        .map(([type, rest]) => Uint8Array.of(type, 0, 0, 0, ...rest)),
      fc.integer().map(transport),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('a' as const, 'b' as const, 'stranger' as const),
        bytes,
        fc.nat(400_000),
        (from, message, nowMs) => {
          judge(table, from, message, nowMs);
          assert.ok(table.to.length <= 2);
          for (const { endpoint: to } of table.to) assert.ok([1, 2, 3].includes(to!.port));
        },
      ),
    );
  });
});

function open(options: Partial<ConstructorParameters<typeof RelayTable>[0]> = {}): RelayTable {
  const all = Object.keys(KEYS);
  const { neighbours = () => all } = options;
  const sees = (a: string, b: string): boolean => [...neighbours(a)].includes(b);
  const table = new RelayTable({ crypto, neighbours, sees, isOwnIndex: () => false, ...options });
  table.setOwnKey(HUB);
  for (const name of all as Name[]) {
    table.putNode(name, [KEYS[name]]);
    table.setEndpoint(name, PLACES[name], 0);
  }
  return table;
}

function judge(table: RelayTable, from: keyof typeof PLACES, message: Uint8Array, nowMs = 0): string[] {
  const batch = new PacketBatch(4, 8_192);
  const row = batch.appendRow(message.length);
  batch.bytes.set(message, batch.offset[row]!);
  batch.setEndpoint(row, PLACES[from].words, 0);
  return [table.judge(batch, row, nowMs), ...table.to.map(({ id }) => id)];
}

function initiation(to: Uint8Array, senderIndex: number): Uint8Array {
  const message = new Uint8Array(148);
  writeInt32(message, 0, 1);
  writeInt32(message, 4, senderIndex);
  const key = new Uint8Array(32);
  crypto.hash(key, Buffer.from('mac1----'), to);
  crypto.mac(mac1(message), key, message.subarray(0, 116));
  return message;
}

function response(senderIndex: number, receiverIndex: number): Uint8Array {
  const message = new Uint8Array(92);
  writeInt32(message, 0, 2);
  writeInt32(message, 4, senderIndex);
  writeInt32(message, 8, receiverIndex);
  return message;
}

function cookie(receiverIndex: number): Uint8Array {
  const message = new Uint8Array(64);
  writeInt32(message, 0, 3);
  writeInt32(message, 4, receiverIndex);
  return message;
}

function transport(receiverIndex: number): Uint8Array {
  const message = new Uint8Array(96);
  writeInt32(message, 0, 4);
  writeInt32(message, 4, receiverIndex);
  return message;
}

function endpoint(port: number): Endpoint {
  return Endpoint.from(Uint8Array.of(203, 0, 113, port), port);
}

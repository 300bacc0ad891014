/** The publisher tells agents of changes: what they see, once, and not what is another's own. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MapPublisher, type MapSubscriber } from '../../../src/mesh/hub/map-publisher.js';
import type { MapEntry, MapMessage } from '../../../src/mesh/map/messages.js';

class Agent implements MapSubscriber {
  readonly node: string;
  readonly got: MapMessage[] = [];

  constructor(node: string) {
    this.node = node;
  }

  send(text: string): boolean {
    this.got.push(JSON.parse(text));
    return true;
  }

  get last(): MapMessage {
    return this.got.at(-1)!;
  }

  /** Ids of the last message: put, and deleted. */
  get ids(): readonly [readonly string[], readonly string[]] {
    return [this.last.put.map(({ record }) => record.id), this.last.del];
  }
}

describe('The publisher of maps', () => {
  it('begins with everything, and goes on with what has changed', () => {
    const { publisher, entries } = open('a', 'b', 'c');
    const agent = new Agent('a');
    publisher.subscribe(agent, undefined, 0);
    assert.deepEqual([agent.last.full, ...agent.ids], [true, ['b', 'c'], []]);
    entries.set('b', entry('b', 'renamed'));
    publisher.changed(['b'], 0);
    assert.deepEqual([agent.last.full, ...agent.ids], [false, ['b'], []]);
    entries.delete('c');
    publisher.changed(['c'], 0);
    assert.deepEqual(agent.ids, [[], ['c']]);
    const before = agent.got.length;
    publisher.changed(['b'], 0);
    assert.equal(agent.got.length, before, 'nothing has changed');
  });

  it('sends the first change at once, and what follows within a quarter of a second together', () => {
    const { publisher, entries, waits } = open('a', 'b', 'c');
    const agent = new Agent('a');
    publisher.subscribe(agent, undefined, 0);
    const rename = (id: string, atMs: number): void => {
      entries.set(id, entry(id, `renamed at ${atMs}`));
      publisher.changed([id], atMs);
    };
    rename('b', 1_000);
    assert.deepEqual([agent.ids[0], waits.count, publisher.tendsInMs(1_000)], [['b'], 0, undefined]);
    const before = agent.got.length;
    rename('b', 1_100);
    rename('c', 1_200);
    assert.deepEqual([agent.got.length, publisher.tendsInMs(1_200)], [before, 50]);
    assert.ok(waits.count > 0, 'it asks to be tended');
    publisher.tend(1_250);
    assert.deepEqual([agent.got.length, agent.ids[0]], [before + 1, ['b', 'c']]);
    assert.equal(publisher.tendsInMs(1_250), undefined);
  });

  it('lets a node that is gone wait for nothing, and sends what waits with it', () => {
    const { publisher, entries } = open('a', 'b', 'c');
    const agent = new Agent('a');
    publisher.subscribe(agent, undefined, 0);
    for (const name of ['renamed', 'renamed again']) {
      entries.set('b', entry('b', name));
      publisher.changed(['b'], 1_000);
    }
    entries.delete('c');
    publisher.changed(['c'], 1_010);
    assert.deepEqual(agent.ids, [['b'], ['c']]);
  });

  it('waits no longer for a clock that was set back', () => {
    const { publisher, entries } = open('a', 'b');
    const agent = new Agent('a');
    publisher.subscribe(agent, undefined, 0);
    for (const atMs of [900_000, 1_000]) {
      entries.set('b', entry('b', `renamed at ${atMs}`));
      publisher.changed(['b'], atMs);
      assert.equal(agent.last.put[0]!.record.name, `renamed at ${atMs}`);
    }
  });

  it('never tells a node that it is another one', () => {
    const { publisher, entries } = open('a', 'b');
    const [a, b] = [new Agent('a'), new Agent('b')];
    for (const agent of [b, a]) publisher.subscribe(agent, undefined, 0);
    entries.set('b', entry('b', 'renamed'));
    publisher.changed(['b'], 0);
    assert.deepEqual([a.last.self?.record.id, a.ids[0]], [undefined, ['b']]);
    assert.deepEqual([b.last.self?.record.id, b.ids[0]], ['b', []]);
  });

  it('gives an agent that comes back what it missed, or everything where that is not known', () => {
    const { publisher, entries } = open('a', 'b', 'c');
    const { rev } = publisher;
    entries.set('b', entry('b', 'renamed'));
    entries.delete('c');
    publisher.changed(['b', 'c'], 0);
    const agent = new Agent('a');
    publisher.subscribe(agent, rev, 0);
    assert.deepEqual([agent.last.full, ...agent.ids], [false, ['b'], ['c']]);
    publisher.subscribe(agent, publisher.rev, 0);
    assert.deepEqual([agent.last.full, ...agent.ids], [false, [], []]);
    for (const unknown of [rev - 100, rev + 100]) {
      const other = new Agent('a');
      publisher.subscribe(other, unknown, 0);
      assert.equal(other.last.full, true);
    }
  });

  it('looks only at what has changed when an agent comes back', () => {
    const { publisher, entries, asked } = open(...Array.from({ length: 100 }, (_, number) => `node-${number}`));
    const { rev } = publisher;
    for (const [name, atMs] of [['renamed', 1_000] as const, ['renamed again', 2_000] as const]) {
      entries.set('node-7', entry('node-7', name));
      publisher.changed(['node-7'], atMs);
    }
    entries.delete('node-8');
    publisher.changed(['node-8'], 3_000);
    entries.set('node-8', entry('node-8', 'back'));
    publisher.changed(['node-8'], 4_000);
    asked.length = 0;
    const agent = new Agent('node-1');
    publisher.subscribe(agent, rev, 0);
    assert.deepEqual([agent.last.full, agent.ids[0].toSorted(), agent.ids[1]], [false, ['node-7', 'node-8'], []]);
    assert.deepEqual(asked.toSorted(), ['node-7', 'node-8']);
  });

  it('gives everything to an agent that missed more than is known', () => {
    const { publisher, entries } = open('a', 'b');
    const { rev } = publisher;
    for (let number = 0; number <= 20_000; number++) {
      entries.set('b', entry('b', `name-${number}`));
      publisher.changed(['b'], number * 1_000);
    }
    const agent = new Agent('a');
    publisher.subscribe(agent, rev, 0);
    assert.equal(agent.last.full, true);
    publisher.acknowledged(agent, 0);
    publisher.subscribe(agent, rev + 1, 0);
    assert.deepEqual([agent.last.full, agent.ids[0]], [false, ['b']]);
  });

  it('shows nobody what the rules hide', () => {
    const { publisher, entries, hidden } = open('a', 'b');
    const agent = new Agent('a');
    publisher.subscribe(agent, undefined, 0);
    hidden.add('b');
    publisher.changedForAll(['a', 'b'], 0);
    publisher.acknowledged(agent, 0);
    assert.deepEqual([agent.last.full, ...agent.ids], [true, [], []]);
    const before = agent.got.length;
    entries.set('b', entry('b', 'renamed'));
    publisher.changed(['b'], 1_000);
    entries.delete('b');
    publisher.changed(['b'], 2_000);
    assert.equal(agent.got.length, before, 'nor that it is gone');
    publisher.subscribe(agent, publisher.rev - 1, 3_000);
    assert.deepEqual(agent.last.del, []);
  });

  it('has few full maps under way at once, and none that is never acknowledged in the way of others', () => {
    const { publisher } = open('a');
    const agents = Array.from({ length: 20 }, () => new Agent('a'));
    for (const agent of agents) publisher.subscribe(agent, undefined, 0);
    const told = (): number => agents.filter(({ got }) => got.length > 0).length;
    assert.equal(told(), 8);
    publisher.acknowledged(agents[0]!, 0);
    assert.equal(told(), 9);
    assert.equal(publisher.tendsInMs(0), 5_000);
    publisher.tend(20_000);
    publisher.tend(40_000);
    assert.equal(told(), 20);
  });
});

function open(...ids: readonly string[]) {
  const entries = new Map(ids.map((id) => [id, entry(id, id)]));
  const hidden = new Set<string>();
  const asked: string[] = [];
  const sees = (a: string, b: string): boolean => {
    asked.push(b);
    return a !== b && !hidden.has(b);
  };
  const source = {
    entryOf: (id: string) => entries.get(id),
    sees,
    saw: (_: string, gone: string) => !hidden.has(gone),
    neighbours: (id: string) => [...entries.keys()].filter((other) => sees(id, other)),
    extrasOf: (id: string) => ({ self: entries.get(id)! }),
  };
  const waits = { count: 0 };
  const publisher = new MapPublisher(source, 1_000, () => waits.count++);
  publisher.changedForAll([...ids], 0);
  return { publisher, entries, hidden, asked, waits };
}

function entry(id: string, name: string): MapEntry {
  const fields = { name, addresses: [], tags: [], routes: [], notAfterUnixMs: 1, serial: 1, signature: '' };
  return { record: { id, ...fields, publicKey: '', keySeq: 1 }, mayBegin: true };
}

/**
 * Five thousand agents at the publisher of a hub, on virtual time and without the network between.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MapPublisher, type MapSubscriber } from '../../../src/mesh/hub/map-publisher.js';
import type { MapEntry, MapMessage } from '../../../src/mesh/map/messages.js';

const AGENTS = 5_000;
const TIMEOUT = { timeout: 60_000 };

class CrowdAgent implements MapSubscriber {
  readonly node: string;
  /** Texts since it was last looked at. */
  texts: string[] = [];
  rev: number | undefined;

  constructor(node: string) {
    this.node = node;
  }

  send(text: string): boolean {
    this.texts.push(text);
    return true;
  }

  /** Takes in what came. @returns The messages. */
  take(): MapMessage[] {
    const messages = this.texts.map((text): MapMessage => JSON.parse(text));
    this.texts = [];
    this.rev = messages.at(-1)?.rev ?? this.rev;
    return messages;
  }
}

describe('A crowd of 5,000 agents', TIMEOUT, () => {
  const { publisher, entries, agents, hub } = open();
  const all = agents.slice(1);

  it('hears of a revocation at once: the last as the first, by one message each', () => {
    const gone = agents[0]!.node;
    publisher.unsubscribe(agents[0]!, 1);
    entries.delete(gone);
    publisher.changed([gone], 1);
    assert.equal(new Set(all.map(({ texts }) => texts[0])).size, 1, 'one piece of JSON for all');
    for (const agent of all) assert.equal(agent.texts.length, 1);
    assert.deepEqual(all.at(-1)!.take()[0]!.del, [gone]);
  });

  it('that grows by a hundred hosts within a second hears of them in two messages', () => {
    for (const agent of all) agent.texts = [];
    for (let host = 0; host < 100; host++) {
      const id = `abc${host}`.padStart(12, '0');
      const atMs = 10_000 + host * 10;
      entries.set(id, entryOf(id, id));
      if (publisher.tendsInMs(atMs) === 0) publisher.tend(atMs);
      publisher.changed([id], atMs);
    }
    assert.equal(publisher.tendsInMs(11_000), 10_000 + AGENTS / 2 - 11_000 - 0.5, 'half a millisecond for each');
    publisher.tend(13_000);
    for (const agent of all) {
      const messages = agent.take();
      assert.equal(messages.length, 2);
      assert.equal(messages.flatMap(({ put }) => put).length, 100);
    }
  });

  it('that all come back at once gets what it missed, and no full map', () => {
    const revBefore = publisher.rev;
    for (const agent of all) agent.texts = [];
    for (const agent of all) publisher.unsubscribe(agent, 2);
    const changed = agents[7]!.node;
    entries.set(changed, entryOf(changed, 'renamed'));
    publisher.changed([changed], 20_000);
    const back = agents.slice(8, 1_008);
    for (const agent of back) publisher.subscribe(agent, revBefore, 20_000);
    for (const agent of back) {
      const [message, ...more] = agent.take();
      assert.deepEqual([message!.full, message!.put.length, more.length], [false, 1, 0]);
    }
  });

  it('that comes back to a hub that was restarted has eight full maps under way at once', () => {
    const restarted = hub(publisher.rev + 1_000);
    for (const agent of all) agent.texts = [];
    for (const agent of all) restarted.subscribe(agent, agent.rev ?? publisher.rev, 5);
    const told = (): CrowdAgent[] => all.filter(({ texts }) => texts.length > 0);
    assert.equal(told().length, 8);
    let rounds = 0;
    for (let waiting = told(); rounds < 20 && waiting.length > 0; waiting = told(), rounds++) {
      assert.ok(waiting.length <= 8);
      for (const agent of waiting) agent.texts = [];
      for (const agent of waiting) restarted.acknowledged(agent, 5);
    }
    assert.equal(rounds, 20);
  });

  it('that says nothing costs nothing: the publisher has no timer', () => {
    assert.equal(publisher.tendsInMs(30_000), undefined);
    const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    assert.ok(timers < 10, `${timers} timers`);
  });
});

function open() {
  const ids = Array.from({ length: AGENTS }, (_, number) => number.toString(16).padStart(12, '0'));
  const entries = new Map(ids.map((id) => [id, entryOf(id, id)]));
  const source = {
    entryOf: (id: string) => entries.get(id),
    sees: (a: string, b: string) => a !== b,
    saw: () => true,
    neighbours: () => ids,
    extrasOf: () => ({}),
  };
  const hub = (firstRev: number): MapPublisher => {
    const publisher = new MapPublisher(source, firstRev);
    publisher.changedForAll(ids, 0);
    return publisher;
  };
  const publisher = hub(1_000);
  const agents = ids.map((id) => new CrowdAgent(id));
  for (const agent of agents) publisher.subscribe(agent, publisher.rev, 0);
  for (const agent of agents) agent.texts = [];
  return { publisher, entries, agents, hub };
}

function entryOf(id: string, name: string): MapEntry {
  const fields = { name, addresses: [], tags: [], routes: [], notAfterUnixMs: 1, serial: 1, signature: '' };
  return { record: { id, ...fields, publicKey: '', keySeq: 1 }, mayBegin: true };
}

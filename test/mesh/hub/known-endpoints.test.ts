/** A hub remembers where its nodes were, and greets them after a start. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { formatEndpoint, NO_ZONES } from '../../../src/control/endpoint-text.js';
import { HubGreetings } from '../../../src/mesh/hub/hub-greetings.js';
import type { HeardEndpoint } from '../../../src/mesh/hub/known-endpoints.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

describe('A hub that is started again', () => {
  it('greets the nodes of its last run where they were, those heard last first', (t) => {
    const hub = open(t, fileOf({ a: heard(1, 60_000), b: heard(2, 30_000) }));
    assert.deepEqual(hub.greeted, ['b 203.0.113.2:51820', 'a 203.0.113.1:51820']);
  });

  it('greets nobody who is no node any more, who was not heard for an hour, or who is said to come from the future', (t) => {
    const nodes = { a: heard(1, HOUR_MS + 1), b: heard(2, -1), gone: heard(3, 0), c: heard(4, HOUR_MS) };
    assert.deepEqual(open(t, fileOf(nodes)).greeted, ['c 203.0.113.4:51820']);
  });

  it('starts without the file, and with one that is damaged or was edited', (t) => {
    const damaged = [undefined, '', '{"nodes":{"a":', '[]', '{"nodes":{"a":{"endpoint":1,"heardUnixMs":1}}}'];
    const name = fileOf({ a: { endpoint: 'host.example:1', heardUnixMs: NOW } });
    for (const text of [...damaged, name]) assert.deepEqual(open(t, text).greeted, []);
  });

  it('greets thousands of nodes some at a time', (t) => {
    const nodes = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`n${index}`, heard(1, index)]));
    const hub = open(t, fileOf(nodes));
    assert.equal(hub.greeted.length, 20);
    for (let tenths = 0; tenths < 10; tenths++) t.mock.timers.tick(100);
    assert.equal(hub.greeted.length, 220);
    for (let tenths = 10; tenths < 249; tenths++) t.mock.timers.tick(100);
    assert.equal(hub.greeted.length, 5_000);
  });

  it('writes down where nodes are, once for many that move, and nothing for one that stays', async (t) => {
    const hub = open(t, undefined);
    for (let port = 1; port <= 100; port++) hub.hear(`n${port}`, `203.0.113.9:${port}`);
    t.mock.timers.tick(10_000);
    await hub.settled();
    assert.equal(hub.written.length, 1);
    assert.equal(Object.keys(hub.last()).length, 100);

    hub.hear('n1', '203.0.113.9:1');
    hub.greetings.heard('carried', undefined);
    t.mock.timers.tick(10_000);
    await hub.settled();
    assert.equal(hub.written.length, 1);
  });

  it('keeps what it has not heard yet, and writes it all at its end, though a write before failed', async (t) => {
    const hub = open(t, fileOf({ a: heard(1, 1_000), gone: heard(3, 0) }));
    hub.isFull = true;
    hub.hear('b', '203.0.113.2:51820');
    t.mock.timers.tick(10_000);
    await hub.settled();
    hub.isFull = false;
    await hub.greetings.close();
    assert.deepEqual(Object.keys(hub.last()), ['a', 'b']);
    t.mock.timers.tick(HOUR_MS);
    assert.equal(hub.written.length, 1, 'nothing runs after the end');
  });
});

/** @param text The file of the last run. */
function open(t: TestContext, text: string | undefined) {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const greeted: string[] = [];
  const written: string[] = [];
  const places = new Map<string, HeardEndpoint>();
  const hub = {
    greeted,
    written,
    isFull: false,
    hear: (id: string, endpoint: string) => {
      places.set(id, { endpoint, heardUnixMs: NOW });
      hub.greetings.heard(id, endpoint);
    },
    last: () => JSON.parse(written.at(-1)!).nodes as Record<string, HeardEndpoint>,
    settled: () => new Promise((resolve) => setImmediate(resolve)),
    greetings: new HubGreetings({
      file: {
        read: () => text,
        write: async (next) => {
          if (hub.isFull) throw new Error('the disk is full');
          written.push(next);
        },
      },
      relay: {
        greet: (id, endpoint) => greeted.push(`${id} ${formatEndpoint(endpoint, NO_ZONES)}`),
        renew: () => assert.fail('no agent is missed'),
        whereabouts: () => places,
      },
      isNode: (id) => id !== 'gone',
      isMissed: () => false,
      nowUnixMs: () => NOW,
    }),
  };
  return hub;
}

function fileOf(nodes: Record<string, HeardEndpoint>): string {
  return JSON.stringify({ nodes });
}

function heard(host: number, agoMs: number): HeardEndpoint {
  return { endpoint: `203.0.113.${host}:51820`, heardUnixMs: NOW - agoMs };
}

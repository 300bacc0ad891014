/** Agents that have a session with the hub, and believe in a control connection of which it knows nothing. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { AgentReminders } from '../../../src/mesh/hub/agent-reminders.js';

describe('The reminders of a hub', () => {
  it('go to agents that have shaken hands and are not connected 15 s later', (t) => {
    const bench = new Bench(t);
    for (const id of ['late', 'lost']) bench.heard(id, true);
    bench.heard('connected', false);
    bench.missed.delete('late');
    bench.pass(14_999);
    assert.deepEqual(bench.renewed, []);
    bench.pass(1);
    assert.deepEqual(bench.renewed, ['lost']);
  });

  it('come once, until the agent was connected again', (t) => {
    const bench = new Bench(t);
    bench.heard('a', true);
    bench.pass(15_000);
    bench.heard('a', true); // by the reminder itself
    bench.pass(300_000);
    assert.deepEqual(bench.renewed, ['a']);

    bench.heard('a', false);
    bench.heard('a', true);
    bench.pass(15_000);
    assert.deepEqual(bench.renewed, ['a', 'a']);
  });

  it('go to thousands some at a time, and to nobody after the end', (t) => {
    const bench = new Bench(t);
    for (let index = 0; index < 50; index++) bench.heard(`n${index}`, true);
    bench.pass(15_000);
    assert.equal(bench.renewed.length, 20);
    bench.pass(100);
    assert.equal(bench.renewed.length, 40);
    bench.reminders.close();
    bench.pass(60_000);
    assert.equal(bench.renewed.length, 40);
  });
});

class Bench {
  readonly missed = new Set<string>();
  readonly renewed: string[] = [];
  readonly reminders: AgentReminders;
  readonly #t: TestContext;
  #nowUnixMs = Date.UTC(2026, 0, 1);

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    this.#t = t;
    this.reminders = new AgentReminders({
      isMissed: (id) => this.missed.has(id),
      renew: (id) => this.renewed.push(id),
      nowUnixMs: () => this.#nowUnixMs,
    });
  }

  heard(id: string, isMissed: boolean): void {
    if (isMissed) this.missed.add(id);
    else this.missed.delete(id);
    this.reminders.heard(id);
  }

  pass(ms: number): void {
    this.#nowUnixMs += ms;
    this.#t.mock.timers.tick(ms);
  }
}

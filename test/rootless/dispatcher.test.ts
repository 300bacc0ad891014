import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { createDispatcher } from '../../src/rootless/dispatcher.js';

const KEYS = ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map((name) => Symbol.for(name));
const globals = globalThis as unknown as Record<symbol, unknown>;

describe('the dispatcher of a tunnel', () => {
  let before: unknown[];
  beforeEach(() => {
    before = KEYS.map((key) => globals[key]);
  });
  afterEach(() => setGlobals(...before));

  it('is an agent of undici up to 7, and one that undici 8 wraps for the others', () => {
    class Agent {}
    class Dispatcher1Wrapper {
      readonly agent: object;
      constructor(agent: object) {
        this.agent = agent;
      }
    }

    setGlobals(new Agent());
    assert.ok(createDispatcher(refuse) instanceof Agent);

    setGlobals(new Agent(), new Agent());
    assert.ok(createDispatcher(refuse) instanceof Agent);

    setGlobals(new Dispatcher1Wrapper({}), new Agent());
    const wrapper = createDispatcher(refuse);
    assert.ok(wrapper instanceof Dispatcher1Wrapper && wrapper.agent instanceof Agent);
  });

  it('is refused, with advice, where a program has put something else in the place of the agent', () => {
    class ProxyAgent {}
    setGlobals(new ProxyAgent(), new ProxyAgent());
    assert.throws(() => createDispatcher(refuse), { name: 'TypeError', message: /before you replace it/ });
  });
});

function setGlobals(...values: unknown[]): void {
  for (const [i, key] of KEYS.entries()) globals[key] = values[i];
}

function refuse(): never {
  throw new Error('nothing is to be connected');
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { OutsideNames } from '../../../src/mesh/agent/outside-names.js';

const NAME = 'hub.example.net';
const TIMEOUT = { timeout: 10_000 };
const NEVER = new Promise<never>(() => {});

describe('The names of an agent beside an exit', TIMEOUT, () => {
  it('are those of the first way that answers, though another one fails or never answers', async () => {
    const names = new OutsideNames([() => NEVER, () => Promise.reject(notFound()), async () => ['203.0.113.10']], 1);
    assert.deepEqual(await names.lookup(NAME), ['203.0.113.10']);
  });

  it('are asked for in one way as long as that answers', async () => {
    const names = new OutsideNames([async () => ['203.0.113.10'], assert.fail]);
    assert.deepEqual(await names.lookup(NAME), ['203.0.113.10']);
  });

  it('stay those of the last answer while no way answers, and follow the next answer', async () => {
    const answers: (() => Promise<string[]>)[] = [
      async () => ['203.0.113.10'],
      () => Promise.reject(notFound()),
      () => NEVER,
      async () => ['203.0.113.11'],
    ];
    const names = new OutsideNames([() => answers.shift()!()], 1, 1);

    const seen: (readonly string[])[] = [];
    for (let i = 0; i < 4; i++) seen.push(await names.lookup(NAME));

    assert.deepEqual(seen.flat(), ['203.0.113.10', '203.0.113.10', '203.0.113.10', '203.0.113.11']);
  });

  it('are an error of the system where none was ever found', async () => {
    const names = new OutsideNames([() => Promise.reject(notFound()), () => Promise.reject(new Error('another'))]);
    await assert.rejects(names.lookup(NAME), { code: 'ENOTFOUND' });
  });

  it('may be addresses, which nobody is asked for', async () => {
    const names = new OutsideNames([assert.fail]);
    assert.deepEqual(await names.lookup('2001:db8::10'), ['2001:db8::10']);
  });
});

function notFound(): Error {
  return Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
}

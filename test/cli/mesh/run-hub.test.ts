import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { sayHowToJoin } from '../../../src/cli/mesh/run-hub.js';

const INVITATION = 'wiretype-invite:TEXT';

describe('sayHowToJoin', () => {
  it('prints an invitation where somebody reads it, and makes none elsewhere: a journal would keep it', async () => {
    assert.match((await say([], true)).text, new RegExp(INVITATION));

    const { text, calls } = await say([], false);
    assert.doesNotMatch(text, new RegExp(INVITATION));
    assert.match(text, /wiretype mesh invite/);
    assert.deepEqual(calls, ['GET /mesh']);
  });

  it('says nothing once the network has a node', async () => {
    assert.equal((await say([{ name: 'laptop' }], true)).text, '');
  });
});

async function say(nodes: readonly object[], isSeen: boolean): Promise<{ text: string; calls: string[] }> {
  const lines: string[] = [];
  const calls: string[] = [];
  const call = async <T>(method: string, path: string): Promise<T> => {
    calls.push(`${method} ${path}`);
    return (method === 'GET' ? { name: 'home', nodes } : { text: INVITATION }) as T;
  };
  await sayHowToJoin({ call }, isSeen, (line) => lines.push(line));
  return { text: lines.join('\n'), calls };
}

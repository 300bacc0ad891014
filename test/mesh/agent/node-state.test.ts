/** The file of a node: damage of the map costs the map alone, and the keys are never guessed. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { readNodeState, writeNodeState } from '../../../src/mesh/agent/node-state.js';
import { STATE } from './example-state.js';

describe('The state of a node', () => {
  it('whose map is damaged is read without the map, and says so in a sentence', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'node-state-'));
    t.after(() => rmSync(folder, { recursive: true }));
    await writeNodeState(folder, STATE);
    const path = join(folder, 'node.json');
    const parsed = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...parsed, map: { rev: 5, entries: [{ record: 'x' }], rules: [] } }));
    const said: string[] = [];
    assert.deepEqual(
      readNodeState(folder, (sentence) => said.push(sentence)),
      STATE,
    );
    assert.deepEqual(said, [`${path}: the map is damaged, and is asked for anew`]);
  });

  it('whose keys are damaged is refused without a word of them', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'node-state-'));
    t.after(() => rmSync(folder, { recursive: true }));
    await writeNodeState(folder, { ...STATE, privateKey: 'secret' });
    const isSilent = ({ code, message }: Error & { code?: string }): boolean =>
      code === 'ERR_NODE_STATE' && /privateKey is wrong/.test(message) && !message.includes('secret');
    assert.throws(() => readNodeState(folder), isSilent);
    writeFileSync(join(folder, 'node.json'), '{"privateKey":"secr');
    assert.throws(() => readNodeState(folder), /it is cut off or was edited/);
  });
});

/** docs/guides/mesh-two-laptops.md, word for word. Topology: mesh-guide.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Machine } from '../../lab/machine.js';
import { waitFor } from '../../lab/wait.js';
import { openMeshGuide } from './mesh-guide.js';

const TIMEOUT = { timeout: 240_000 };

describe('docs/guides/mesh-two-laptops.md', { concurrency: 2 }, () => {
  it('connects two laptops directly, and takes them out again', TIMEOUT, async (t) => {
    const { guide, hub, sites } = await openMeshGuide(t, 'mesh-two-laptops', { anna: 'easy', ben: 'easy' });
    const { machine } = sites.anna;
    const before = await stateOf(machine);
    await guide.follow('The hub');
    await guide.follow('The laptops');
    await guide.follow('Does it work?');
    guide.skip('If it says relay');

    await guide.follow('Undo');
    guide.assertFollowed();
    assert.deepEqual([await guide.terminal('ben').exited, await guide.terminal('anna').exited], [3, 0]);
    await waitFor('their end', async () => /No nodes yet/.test((await hub.wiretype('mesh', 'nodes')).stdout));
    assert.deepEqual(await stateOf(machine), before);
  });

  it('says why two laptops use the relay', TIMEOUT, async (t) => {
    const { guide } = await openMeshGuide(t, 'mesh-two-laptops', { anna: 'hard', ben: 'hard' });
    await guide.follow('The hub');
    await guide.follow('The laptops');
    guide.skip('Does it work?');
    await guide.follow('If it says relay');
  });
});

async function stateOf(machine: Machine): Promise<string[]> {
  return [
    await machine.host.ip('link show'),
    await machine.host.ip('route show table all'),
    await machine.read('/etc/hosts'),
  ];
}

/** docs/guides/mesh-locked.md, word for word. Topology: mesh-guide.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assertNoPing } from '../../lab/traffic.js';
import { addressIn, openMeshGuide } from './mesh-guide.js';

const SEARCH = 'grep -rlF "$1" /var/lib/wiretype || test $? = 1';

describe('docs/guides/mesh-locked.md', () => {
  it('keeps the key away from the hub, and lets in what is signed', { timeout: 240_000 }, async (t) => {
    const setting = await openMeshGuide(t, 'mesh-locked', { admin: 'easy', laptop: 'easy', server: 'easy' });
    const { guide, hub } = setting;
    const { admin, laptop } = setting.sites;
    await guide.follow('The key');
    await guide.interrupt('admin');
    await guide.follow('The hub');

    const said = await guide.follow('New nodes');
    const [known, believed] = [/^(\S{43}=)$/m.exec(said)?.[1], /"signingKey": *"(.*)"/.exec(said)?.[1]];
    assert.equal(believed, known, 'the laptop believes the key of the administrator');
    const [, secret] = (
      await admin.machine.run('bash', ['-c', 'cat "$0"/office-signing.key', homeOf(admin.machine.programs)])
    ).split('\n');
    assert.equal(await hub.run('bash', ['-c', SEARCH, 'bash', secret!]), '', 'the key is nowhere on the hub');

    await guide.follow('The key later');
    const address = await addressIn(setting.sites.server.machine, 'wt-office');
    await guide.follow('Undo');
    guide.assertFollowed();
    assert.equal(await guide.terminal('server').exited, 3);
    await assertNoPing(laptop.machine.host, address, { count: 1 });
  });
});

function homeOf(programs: string): string {
  return programs.replace(/bin$/, 'home');
}

/** docs/guides/mesh-exit-node.md, word for word. Topology: mesh-guide.ts, with the known server of the internet on the hub. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Capture } from '../../lab/capture.js';
import { KNOWN_SERVER, lookUpName, seenAddress } from '../../lab/internet.js';
import { addAddresses } from '../../lab/lab.js';
import { assertNoPing } from '../../lab/traffic.js';
import { waitFor } from '../../lab/wait.js';
import { HUB, type Site } from '../mesh/mesh-lab.js';
import { type MeshGuide, openMeshGuide } from './mesh-guide.js';

const [LAPTOP, SERVER] = ['203.0.113.101', '203.0.113.102'];

describe('docs/guides/mesh-exit-node.md', () => {
  it('sends everything out by the exit, nothing while it is gone or not approved, and undoes it', {
    timeout: 240_000,
  }, async (t) => {
    const setting = await openMeshGuide(t, 'mesh-exit-node', { laptop: 'easy', server: 'easy' });
    const { guide, lab, hub } = setting;
    const { laptop, server } = setting.sites;
    await openInternet(setting);
    const before = [await stateOf(laptop), await stateOf(server)];
    await guide.follow('The exit');
    assert.equal(await seenAddress(laptop.machine, 4), LAPTOP);

    const past = await Capture.start(lab, hub.host, 'br0', `host ${LAPTOP} and host ${KNOWN_SERVER[4]}`);
    await guide.follow('Use it');
    assert.equal(await seenAddress(laptop.machine, 4), SERVER);
    assert.notEqual(await lookUpName(laptop.machine), '');
    guide.terminal('server').signal('SIGSTOP');
    await assertNoPing(laptop.machine.host, KNOWN_SERVER[4], { count: 1 });
    guide.terminal('server').signal('SIGCONT');

    await guide.follow('The exit is gone');
    await guide.terminal('laptop').says(/server is not approved as an exit: nothing leaves this host/);
    await assertNoPing(laptop.machine.host, KNOWN_SERVER[4], { count: 1 });
    assert.deepEqual(await past.stop(), [], 'nothing leaves by the laptop itself, names neither');
    await guide.follow('Undo');
    guide.assertFollowed();
    await waitFor('its own way', async () => (await seenAddress(laptop.machine, 4)) === LAPTOP);
    for (const name of ['laptop', 'server']) await guide.interrupt(name);
    assert.deepEqual([await stateOf(laptop), await stateOf(server)], before);
  });
});

async function openInternet({ hub, sites }: MeshGuide<'laptop' | 'server'>): Promise<void> {
  await addAddresses([hub.host, 'lo', `${KNOWN_SERVER[4]}/32`, `${KNOWN_SERVER[6]}/128`]);
  const services = fileURLToPath(new URL('../../lab/internet-services.js', import.meta.url));
  await hub.host.start(process.execPath, [services, KNOWN_SERVER[4], KNOWN_SERVER[6]]).says(/ready/);
  for (const { router } of Object.values(sites)) await router.ip(`route add default via ${HUB}`);
  await sites.laptop.machine.write('/etc/resolv.conf', `nameserver ${KNOWN_SERVER[4]}\n`, '644');
}

async function stateOf({ machine }: Site): Promise<string[]> {
  return [
    await machine.host.ip('rule show'),
    await machine.host.ip('-6 rule show'),
    await machine.host.ip('route show table all'),
    await machine.run('nft', ['list', 'ruleset']),
    await machine.run('sysctl', ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']),
  ];
}

/** docs/guides/mesh-office-subnet.md, word for word. Topology: mesh-guide.ts, with a printer behind the server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addAddresses } from '../../lab/lab.js';
import { assertNoPing, assertPings } from '../../lab/traffic.js';
import { waitFor } from '../../lab/wait.js';
import { addressIn, openMeshGuide } from './mesh-guide.js';

const PRINTER = '192.168.1.50';
const NEIGHBOUR = '192.168.1.20';

describe('docs/guides/mesh-office-subnet.md', () => {
  it('leads to a printer that runs nothing, and leaves a network of the same range alone', {
    timeout: 240_000,
  }, async (t) => {
    const { lab, guide, sites } = await openMeshGuide(t, 'mesh-office-subnet', { laptop: 'easy', server: 'easy' });
    const [laptop, server] = [sites.laptop.machine, sites.server.machine];
    const [printer, neighbour] = [await lab.host('printer'), await lab.host('neighbour')];
    await lab.cable([server.host, 'eth1'], [printer, 'eth0']);
    await addAddresses([server.host, 'eth1', '192.168.1.2/24'], [printer, 'eth0', `${PRINTER}/24`]);
    const before = await server.run('nft', ['list', 'ruleset']);
    await guide.follow('The server');
    await guide.follow('The laptop');
    const address = await addressIn(laptop, 'wt-office');
    await printer.ip('route add default via 192.168.1.2');
    await assertNoPing(printer, address, { count: 1 });

    await lab.cable([laptop.host, 'wlan0'], [neighbour, 'eth0']);
    await addAddresses([laptop.host, 'wlan0', '192.168.1.10/24'], [neighbour, 'eth0', `${NEIGHBOUR}/24`]);
    await assertPings(laptop.host, NEIGHBOUR, { count: 1 });
    await assertNoPing(laptop.host, PRINTER, { count: 1 });
    // Packets of the server, so that nobody waits until the laptop does without its last session.
    server.start('ping', ['-n', '-q', '-i', '0.5', address]);
    await guide.follow('The same range at home');
    await assertPings(laptop.host, NEIGHBOUR, { count: 1 });

    await guide.follow('Undo');
    guide.assertFollowed();
    await waitFor('the end of the route', async () => !(await laptop.host.ip('route show')).includes(PRINTER));
    await waitFor('the end of masquerade', async () => (await server.run('nft', ['list', 'ruleset'])) === before);
    assert.match(await server.run('sysctl', ['net.ipv4.ip_forward']), /= 0/);
  });
});

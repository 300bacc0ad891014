/** A node that leads to the network behind it, and one that is an exit. Topology: mesh-lab.ts, with a printer behind the server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addAddresses } from '../../lab/lab.js';
import { waitFor } from '../../lab/wait.js';
import { HUB, openMeshLab, type Site } from './mesh-lab.js';

const TIMEOUT = { timeout: 240_000 };
const PRINTER = '192.168.7.2';
const BEYOND = '45.45.0.7';

describe('A node', () => {
  it('leads to a network and out, once the hub approves it, and leaves the hosts as they were', TIMEOUT, async (t) => {
    const { lab, hubHost, laptop, server, invite, ask } = await openMeshLab(t, ['easy', 'easy']);
    const printer = await lab.host('printer');
    await lab.cable([server.machine.host, 'eth1'], [printer, 'eth0']);
    await addAddresses([server.machine.host, 'eth1', '192.168.7.1/24'], [printer, 'eth0', `${PRINTER}/24`]);
    await addAddresses([hubHost, 'br0', `${BEYOND}/32`]);
    for (const { router } of [laptop, server]) await router.ip(`route add ${BEYOND}/32 via ${HUB}`);
    const before = await stateOf(laptop);
    await server.join(await invite(), 'server', '--route', '192.168.7.0/24', '--route', '0.0.0.0/0');
    await laptop.join(await invite(), 'laptop', '--exit', 'server');
    const answers = async (address: string): Promise<boolean> =>
      (await laptop.machine.attempt('ping', ['-c', '1', '-W', '2', '-n', address])).status === 0;
    assert.equal(await answers(PRINTER), false, 'nobody has approved it');
    assert.match(await ask('nodes'), /192\.168\.7\.0\/24 \(not approved\)/);

    await ask('approve', 'server');
    await waitFor('the printer', () => answers(PRINTER));
    await waitFor('the exit', () => answers(BEYOND));
    const seen = await hubHost.start('tcpdump', ['-n', '-i', 'br0', '-c', '1', `icmp and dst ${BEYOND}`]);
    await seen.says(/listening/);
    await laptop.machine.run('ping', ['-c', '3', '-i', '0.3', '-W', '5', '-n', BEYOND]);
    await seen.exited;
    assert.match(seen.stdout, /203\.0\.113\.102 > /, 'it leaves where the server is');

    const back = await printer.attempt('ping', ['-c', '1', '-W', '1', (await laptop.status()).addresses[0]!]);
    assert.notEqual(back.status, 0, 'the network behind begins nothing');
    await ask('approve', 'server', '192.168.7.0/24');
    await waitFor('the end of the exit', async () => !(await laptop.machine.host.ip('rule show')).includes('51821'));
    for (const site of [laptop, server]) assert.equal(await site.agent!.stop(), 0);
    assert.deepEqual(await stateOf(laptop), before);
    assert.equal(await server.machine.run('nft', ['list', 'tables']), '');
  });
});

async function stateOf({ machine }: Site): Promise<string[]> {
  return [
    await machine.host.ip('rule show'),
    await machine.host.ip('route show table all'),
    await machine.run('nft', ['list', 'tables']),
  ];
}

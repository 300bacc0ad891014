/** A stock peer behind a network that blocks UDP, with `wiretype carry` beside it. Topology: mesh-lab.ts; the server is the stock peer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CHECKOUT } from '../../lab/implementation.js';
import { waitFor } from '../../lab/wait.js';
import { STOCK_CLIENT } from '../gateway/gateway-lab.js';
import { HUB, HUB_PORT, openMeshLab } from './mesh-lab.js';

const TIMEOUT = { timeout: 240_000 };
const LOCAL = '127.0.0.1:51900';
const URL_OF_HUB = `ws://${HUB}:8080/carry`;

describe('A stock peer whose network blocks UDP', () => {
  it('reaches the hub and an agent by wiretype carry, and again after the hub was restarted', TIMEOUT, async (t) => {
    const { laptop, server, hub, startHub, invite, ask } = await openMeshLab(t, ['easy', 'easy']);
    const { machine } = server;
    await server.blockUdp(true);
    await laptop.join(await invite(), 'laptop');
    const file = (await ask('add-device', 'phone')).replace(/^DNS.*\n/m, '');
    const carried = file.replaceAll(`Endpoint = ${HUB}:${HUB_PORT}`, `Endpoint = ${LOCAL}`);
    assert.equal(carried.split(LOCAL).length, 3, 'the hub and the laptop');
    await machine.write('/etc/wireguard/phone.conf', carried);

    const carrier = machine.start(`${CHECKOUT}bin/wiretype`, ['carry', URL_OF_HUB]);
    await carrier.says(/In the file of the peer: Endpoint = 127\.0\.0\.1:51900/);
    for (const [words, problem] of [
      [['--listen', LOCAL, URL_OF_HUB], /another program does \(ERR_LISTEN\)/],
      [['--listen', '0', `ws://${HUB}:8080/page`], /there is no hub \(404\).*\(ERR_CARRIER\)/],
      [['--listen', '0', `wss://${HUB}:8080/carry`], /no TLS is spoken there.*\(ERR_CARRIER\)/],
      [['--listen', '0', `ws://${HUB}:1/carry`], /the connection was refused.*\(ERR_CARRIER\)/],
    ] as const) {
      const { status, stderr } = await machine.wiretype('carry', ...words);
      assert.equal(status, 1);
      assert.match(stderr, problem);
    }

    await machine.run('wg-quick', ['up', 'phone'], { env: STOCK_CLIENT });
    const agent = (await laptop.status()).addresses[0]!;
    const answers = async (address: string): Promise<boolean> =>
      (await machine.attempt('ping', ['-n', '-c', '1', '-W', '1', address])).status === 0;
    await waitFor('the agent', () => answers(agent));
    await waitFor('the hub', () => answers(agent.replace(/\d+$/, '1')));
    const phone = (await laptop.status()).peers.find(({ name }) => name === 'phone')!;
    assert.notEqual(phone.lastHandshakeUnixMs, undefined, 'end to end: the session is with the laptop');

    hub.signal('SIGKILL');
    await hub.exited;
    await carrier.says(/has lost its connection/);
    await startHub();
    // A peer notices the lost session with the hub by what it sends there.
    await waitFor('both', async () => (await answers(agent.replace(/\d+$/, '1'))) && (await answers(agent)));
    await machine.run('wg-quick', ['down', 'phone'], { env: STOCK_CLIENT });
    assert.equal(await carrier.stop(), 0);
  });
});

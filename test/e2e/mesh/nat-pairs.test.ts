/** Two agents behind NATs: directly where a way is found, and else through the hub. Topology: mesh-lab.ts. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Capture } from '../../lab/capture.js';
import { waitFor } from '../../lab/wait.js';
import { countLost, HUB, openMeshLab, type Site, waitForPath } from './mesh-lab.js';

const TIMEOUT = { timeout: 300_000 };
const SERVER = 'server.home.internal';
const SECRET = 'the words that only the two ends may read';

describe('two agents', { concurrency: 6 }, () => {
  it('talk directly behind easy NATs, and go on without the hub', TIMEOUT, async (t) => {
    const { laptop, server, invite, hub } = await openMeshLab(t, ['easy', 'easy']);
    await laptop.join(await invite(), 'laptop');
    await server.join(await invite(), 'server');
    await waitFor('the name', async () => (await laptop.machine.attempt('getent', ['hosts', SERVER])).status === 0);

    assert.equal(
      await countLost(laptop, SERVER, 60),
      0,
      'from the first packet on, over the change to the direct path',
    );
    await waitForPath(laptop, 'server', 'direct');
    await waitForPath(server, 'laptop', 'direct');

    hub.signal('SIGKILL');
    await hub.exited;
    assert.equal(await countLost(laptop, SERVER, 100), 0, 'direct pairs do not need the hub');
    assert.equal((await laptop.status()).hub.isConnected, true, 'nothing was said to the hub, so nobody noticed');
  });

  it('talk directly though an early packet has taken the port, after a silence', TIMEOUT, async (t) => {
    const { laptop, server, invite } = await openMeshLab(t, ['easy', 'easy']);
    await laptop.join(await invite(), 'laptop');
    await server.join(await invite(), 'server');
    // After a silence the end with the lower id goes first, and the other one the next time.
    const [first, other] =
      (await laptop.status()).id < (await server.status()).id ? [laptop, server] : [server, laptop];
    const addressOf = (site: Site): string => (site === laptop ? '203.0.113.101' : '203.0.113.102');
    await first.acceptOwn();
    // A probe comes before anything was sent to where it comes from: the NAT keeps the entry for 30 seconds.
    await first.impair(`ip daddr ${addressOf(other)} drop`);
    const pings = laptop.machine.start('ping', ['-n', '-i', '0.2', SERVER]);
    await waitFor('the entry', async () => {
      const { stdout } = await first.router.attempt('conntrack', ['-L', '-p', 'udp', '-s', addressOf(other)]);
      return stdout.includes(`dst=${addressOf(first)} `) && stdout.includes('[UNREPLIED]');
    });
    await first.impair(undefined);
    const startMs = performance.now();
    await waitForPath(laptop, 'server', 'direct');
    await waitForPath(server, 'laptop', 'direct');
    t.diagnostic(`direct ${Math.round(performance.now() - startMs)} ms later`);
    pings.signal('SIGINT');
    await pings.exited;
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(pings.stdout)!;
    // The last one may be on its way.
    assert.ok(Number(sent) - Number(received) <= 1, `the relay carried everything meanwhile: ${received} of ${sent}`);
  });

  it('talk directly behind a restricted and a hard NAT', TIMEOUT, async (t) => {
    const { laptop, server, invite } = await openMeshLab(t, ['restricted', 'hard']);
    await laptop.join(await invite(), 'laptop');
    await server.join(await invite(), 'server');

    assert.equal(await countLost(laptop, SERVER, 40), 0);
    await waitForPath(laptop, 'server', 'direct');
    assert.equal((await server.status()).mapping, 'hard');
    assert.equal((await laptop.status()).mapping, 'easy');
  });

  it(
    'talk through a hub that cannot read them behind hard NATs, and again soon after it was killed',
    TIMEOUT,
    async (t) => {
      const { lab, laptop, server, invite, hub, startHub, hubHost, hubState, ask } = await openMeshLab(t, [
        'hard',
        'hard',
      ]);
      await laptop.join(await invite(), 'laptop');
      await server.join(await invite(), 'server');
      const capture = await Capture.start(lab, hubHost, 'br0');

      assert.equal(await countLost(laptop, SERVER, 40), 0);
      assert.equal(await laptop.pathTo('server'), 'relay');
      const words = ['-n', '-c', '3', '-i', '0.2', '-p', Buffer.from(SECRET).toString('hex').slice(0, 32), SERVER];
      await laptop.machine.run('ping', words);
      const packets = await capture.stop();
      assert.ok(packets.length > 80, 'the relay carried them');
      assert.equal(
        packets.some(({ bytes }) => bytes.includes(SECRET.slice(0, 16))),
        false,
      );
      assert.match(await ask('explain', 'laptop'), /server has answered through the hub/);

      await waitFor('the places of both', async () => {
        const text = await readFile(join(hubState, 'endpoints.json'), 'utf8').catch(() => '{"nodes":{}}');
        return Object.keys(JSON.parse(text).nodes).length === 2;
      });
      hub.signal('SIGKILL');
      await hub.exited;
      await startHub();
      const startMs = performance.now();
      await waitFor(
        'an answer',
        async () => (await laptop.machine.attempt('ping', ['-n', '-c', '1', '-W', '1', SERVER])).status === 0,
      );
      const afterMs = performance.now() - startMs;
      t.diagnostic(`answered ${Math.round(afterMs)} ms after the hub was up`);
      assert.ok(afterMs < 10_000, `the hub goes to them: ${afterMs} ms, where WireGuard alone takes 15 s and more`);
    },
  );

  it('are carried in a WebSocket where UDP is blocked, and come back to UDP', TIMEOUT, async (t) => {
    const { laptop, server, invite } = await openMeshLab(t, ['easy', 'easy']);
    await laptop.blockUdp(true);
    await laptop.join(await invite(), 'laptop');
    await server.join(await invite(), 'server');

    assert.equal(await countLost(laptop, SERVER, 20, 0.2), 0, 'while carried');
    assert.equal(await laptop.pathTo('server'), 'carried');
    assert.equal((await laptop.status()).hub.way, 'carried');

    await laptop.blockUdp(false);
    await waitFor('UDP to the hub', async () => (await laptop.status()).hub.way === 'udp');
    assert.equal(await countLost(laptop, SERVER, 20), 0, 'on the way back to UDP');
    // Nothing is probed for a pair without traffic.
    await waitFor('the direct path', async () => {
      await countLost(laptop, SERVER, 5);
      return (await laptop.pathTo('server')) === 'direct';
    });
  });

  it('find each other again when a host gets another public address', TIMEOUT, async (t) => {
    const { laptop, server, invite } = await openMeshLab(t, ['easy', 'easy']);
    await laptop.join(await invite(), 'laptop');
    await server.join(await invite(), 'server');
    await countLost(laptop, SERVER, 20);
    await waitForPath(laptop, 'server', 'direct');

    await laptop.router.ip('addr del 203.0.113.101/24 dev wan');
    await laptop.router.ip('addr add 203.0.113.201/24 dev wan');
    await laptop.translate('easy');
    await waitFor(
      'an answer',
      async () => (await laptop.machine.attempt('ping', ['-n', '-c', '1', '-W', '1', SERVER])).status === 0,
    );
    await waitFor('the direct path from there', async () => {
      await countLost(laptop, SERVER, 5);
      const peer = (await server.status()).peers.find(({ name }) => name === 'laptop');
      return peer?.path === 'direct' && peer.endpoint?.startsWith('203.0.113.201:') === true;
    });
    assert.match((await laptop.status()).hub.endpoint, new RegExp(HUB));
  });
});

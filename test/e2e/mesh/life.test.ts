/** The life of a network: invitations, keys, revocation, stock nodes. Topology: mesh-lab.ts. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { CHECKOUT } from '../../lab/implementation.js';
import { waitFor } from '../../lab/wait.js';
import { countLost, openMeshLab, type Site, waitForPath } from './mesh-lab.js';

const TIMEOUT = { timeout: 300_000 };
const SERVER = 'server.home.internal';
const LAPTOP = 'laptop.home.internal';

describe('a network', { concurrency: 2 }, () => {
  it('takes a host in once, changes keys without a gap, and takes a node back everywhere', TIMEOUT, async (t) => {
    const { laptop, server, invite, ask } = await openMeshLab(t, ['easy', 'easy']);
    const invitation = await invite('--tag', 'roaming');
    await laptop.join(invitation, 'laptop');
    const { status, stderr } = await secondUse(server, invitation);
    assert.notEqual(status, 0);
    assert.match(stderr, /the invitation was used at .* by laptop: if that was not you, remove laptop/);
    await server.join(await invite(), 'server');
    const file = join(server.state, 'node.json');
    const backup = await server.machine.read(file);
    assert.equal(await countLost(laptop, SERVER, 20), 0);
    await restore(server, file, backup);
    await server.start();
    assert.equal(await countLost(server, LAPTOP, 20), 0, 'with a state folder from before the map came');

    const before = JSON.parse(await ask('nodes', '--json'));
    await server.wiretype('rotate');
    assert.equal(await countLost(laptop, SERVER, 200), 0, 'no packet is lost while the key changes');
    const after = await waitFor('the next key', async () => {
      const nodes = JSON.parse(await ask('nodes', '--json'));
      return keyOf(nodes, 'server') !== keyOf(before, 'server') && nodes;
    });
    assert.equal(keyOf(after, 'laptop'), keyOf(before, 'laptop'));
    assert.equal(await countLost(laptop, SERVER, 20), 0);

    const startMs = performance.now();
    await ask('revoke', 'laptop');
    await waitFor('its end there', async () => (await server.status()).peers.length === 0);
    assert.equal(await laptop.agent!.exited, 3, 'the status says that it was removed');
    assert.ok(performance.now() - startMs < 30_000);
    assert.notEqual((await server.machine.attempt('ping', ['-c', '1', '-W', '1', LAPTOP])).status, 0);

    const present = await server.machine.read(file);
    await restore(server, file, backup);
    const old = server.machine.start(`${CHECKOUT}bin/wiretype`, ['mesh', 'agent', '--state', server.state]);
    await old.says(
      /the hub is there, but does not know the key of this node: it was removed, or its state folder is a copy/,
    );
    assert.match(await server.wiretype('status'), /not connected.*join again/s, 'a key that was changed is gone');
    assert.equal(await old.stop(), 0);
    await restore(server, file, present);
    await server.start();

    await server.wiretype('leave');
    assert.equal(await server.agent!.exited, 0);
    await waitFor('its leave', async () => JSON.parse(await ask('nodes', '--json')).length === 0);
    assert.doesNotMatch(await server.machine.read('/etc/hosts'), /wiretype/, 'the hosts file is as it was');
  });

  it(
    'has stock nodes, which talk to agents and to each other through the hub that cannot read them',
    TIMEOUT,
    async (t) => {
      const { laptop, server, invite, ask } = await openMeshLab(t, ['easy', 'hard']);
      await laptop.join(await invite(), 'laptop');
      const file = await ask('add-device', 'phone');
      await server.machine.write('/etc/wireguard/phone.conf', file.replace(/^DNS.*\n/m, ''));
      const stock = {
        WG_QUICK_USERSPACE_IMPLEMENTATION: 'wireguard-go',
        WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1',
      };
      await server.machine.run('wg-quick', ['up', 'phone'], { env: stock });

      const address = (await laptop.status()).addresses[0]!;
      await waitFor(
        'an answer',
        async () => (await server.machine.attempt('ping', ['-c', '1', '-W', '2', address])).status === 0,
      );
      const phone = (await laptop.status()).peers.find(({ name }) => name === 'phone')!;
      assert.deepEqual([phone.kind, phone.path], ['stock', 'relay']);
      assert.notEqual(phone.lastHandshakeUnixMs, undefined, 'end to end: the session is with the laptop');
      assert.equal(await countLost(laptop, 'phone.home.internal', 10), 0);
      const lookup = await server.machine.run('bash', [
        '-c',
        `python3 -c "
import socket,struct
hub='${address}'.rsplit('.',1)[0]+'.1'
q=struct.pack('>HHHHHH',7,256,1,0,0,0)+b''.join(bytes([len(l)])+l for l in b'laptop.home.internal'.split(b'.'))+b'\\0'+struct.pack('>HH',1,1)
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.settimeout(5);s.sendto(q,(hub,53));a=s.recv(512);print('.'.join(map(str,a[-4:])))"`,
      ]);
      assert.equal(lookup.trim(), address, 'the hub answers for names');
      await server.machine.run('wg-quick', ['down', 'phone'], { env: stock });
    },
  );

  it('is rootless where root is missing: proxy, health and an ephemeral node', TIMEOUT, async (t) => {
    const { laptop, server, invite } = await openMeshLab(t, ['easy', 'easy']);
    await laptop.join(await invite(), 'laptop');
    const web = laptop.machine.start('python3', [
      '-m',
      'http.server',
      '8000',
      '--bind',
      (await laptop.status()).addresses[0]!,
    ]);
    await web.says(/Serving/);
    const words = ['--rootless', '--proxy', '127.0.0.1:1080', '--health', '127.0.0.1:9000'];
    await server.wiretype('join', await invite('--ephemeral', '5', '--uses', '2'), '--name', 'job', '--enrol');
    await server.start(...words);
    const curl = (...more: readonly string[]) =>
      server.machine.run('curl', ['-sS', '--fail', '--max-time', '20', ...more]);
    assert.match(await curl('-x', 'socks5h://127.0.0.1:1080', `http://${LAPTOP}:8000/`), /Directory listing/);
    assert.match(await curl('http://127.0.0.1:9000/healthz'), /"hub":true/);
    await waitForPath(server, 'laptop', 'direct');
  });

  it('does not believe its hub when it is locked', TIMEOUT, async (t) => {
    const { lab, laptop, server, invite, ask } = await openMeshLab(t, ['easy', 'easy'], true);
    await laptop.join(await invite(), 'laptop');
    await server.join(await invite(), 'server');
    assert.deepEqual([(await laptop.status()).isWaiting, (await laptop.status()).peers.length], [true, 0]);

    assert.match(await ask('sign', '--signing-key', `${lab.folder}/signing.key`), /laptop: 10\./);
    await waitFor('the other node', async () => (await laptop.status()).peers.length === 1);
    assert.equal(await countLost(laptop, SERVER, 20), 0);
  });
});

/** Puts a copy of the state in its place, while no agent runs. */
async function restore(site: Site, file: string, copy: string): Promise<void> {
  await site.agent!.stop();
  await site.machine.write(file, copy);
}

async function secondUse(site: Site, invitation: string) {
  const words = ['mesh', 'join', invitation, '--name', 'thief', '--enrol', '--state', `${site.state}-other`];
  return await site.machine.wiretype(...words);
}

function keyOf(
  nodes: readonly { readonly name: string; readonly publicKey: string }[],
  name: string,
): string | undefined {
  return nodes.find((node) => node.name === name)?.publicKey;
}

/** Liars in a mesh: stolen invitations, copied keys, a hub whose store was changed, a clock wrong by years. Topology: mesh-lab.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import { CHECKOUT } from '../../lab/implementation.js';
import { addAddresses } from '../../lab/lab.js';
import { waitFor } from '../../lab/wait.js';
import { countLost, type MeshLab, openMeshLab, type Site, waitForPath } from './mesh-lab.js';
import { WrongClock } from './wrong-clock.js';

const TIMEOUT = { timeout: 240_000 };
const LAPTOP = 'laptop.home.internal';
const SERVER = 'server.home.internal';
const WIRETYPE = `${CHECKOUT}bin/wiretype`;
const PROGRAM = `${CHECKOUT}dist/test/e2e/mesh/hostile-program.js`;
const VICTIM = '203.0.113.50';
/** Nodes that may be led to probe, and what each may send there in five minutes: 10 tries at 64 addresses. */
const NODES = 2;
const MAX_PROBES = 640;
const THREE_YEARS_MS = 3 * 365 * 86_400_000;
/** Gives a signed node another address, and adds one whose signature is that of another node. */
const TAMPER = `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
rows = [(id, json.loads(text)) for id, text in db.execute('SELECT id, record FROM devices')]
id, laptop = next(row for row in rows if row[1]['name'] == 'laptop')
ghost = json.loads(json.dumps(laptop))
addresses = [a[:a.rindex('.' if '.' in a else ':') + 1] + '66' for a in laptop['addresses']]
ghost.update(id='66' * 6, name='ghost', publicKey='Z' * 42 + 'A=', addresses=addresses)
ghost['node']['signed'].update(name='ghost', addresses=addresses)
laptop['node']['signed']['addresses'] = ['10.99.99.99']
db.execute('UPDATE devices SET record = ? WHERE id = ?', (json.dumps(laptop), id))
db.execute('INSERT INTO devices (id, public_key, record) VALUES (?, ?, ?)', (ghost['id'], ghost['publicKey'], json.dumps(ghost)))
db.commit()`;
/** Damages the map in the file of a node. */
const DAMAGE = `
import json, sys
state = json.load(open(sys.argv[1]))
state['map'] = {'entries': [{}]}
json.dump(state, open(sys.argv[1], 'w'))`;

describe('a hostile network', { concurrency: 2 }, () => {
  it('whose locked hub lies is not believed, nor is a clock that is wrong by years', TIMEOUT, async (t) => {
    const mesh = await openMeshLab(t, ['easy', 'easy'], true);
    const { lab, laptop, server, invite, ask } = mesh;
    await laptop.join(await invite(), 'laptop');
    await server.join(await invite(), 'server');
    await ask('sign', '--signing-key', `${lab.folder}/signing.key`);
    await waitFor(
      'each other',
      async () => (await peersOf(laptop)) === 'server' && (await peersOf(server)) === 'laptop',
    );
    assert.equal(await countLost(laptop, SERVER, 10), 0);
    await waitForPath(laptop, 'server', 'direct');
    await waitForPath(server, 'laptop', 'direct');
    const { addresses } = (await server.status()).peers[0]!;
    await setClockBack(t, laptop, server);

    await restart(mesh, async () => {
      await mesh.hubHost.run('python3', ['-c', TAMPER, join(mesh.hubState, 'state.db')]);
    });
    await server.agent!.says(/refused the record of ghost \(network-signature\); the last good one stays/);
    await server.agent!.says(/refused the record of laptop \(network-signature\)/);
    await laptop.agent!.says(/refused the record of laptop, this node, \(network-signature\)/);
    const status = await server.status();
    assert.deepEqual(
      status.peers.map(({ name }) => name),
      ['laptop'],
    );
    assert.deepEqual(status.peers[0]!.addresses, addresses, 'the last good record stays');
    assert.deepEqual(status.refused.map(({ name }) => name).sort(), ['ghost', 'laptop']);
    assert.match(await server.wiretype('status'), /refused the record of ghost/);
    assert.equal(await countLost(laptop, SERVER, 20), 0, 'good nodes go on');
  });

  it('takes an invitation once, and says that two hosts use one key', TIMEOUT, async (t) => {
    const mesh = await openMeshLab(t, ['easy', 'easy']);
    const { hubHost, lab, laptop, server, invite, ask, hub } = mesh;
    const invitation = await invite();
    await laptop.join(invitation, 'laptop');
    const thief = `${server.state}-thief`;
    const words = ['mesh', 'join', invitation, '--name', 'thief', '--enrol', '--state', thief];
    const { status, stderr } = await server.machine.wiretype(...words);
    assert.notEqual(status, 0);
    assert.match(stderr, /the invitation was used at .* UTC by laptop: if that was not you, remove laptop/);
    assert.notEqual(
      (await server.machine.attempt('ls', [join(thief, 'node.json')])).status,
      0,
      'nothing half made stays',
    );
    assert.equal(JSON.parse(await ask('nodes', '--json')).length, 1);

    const good = join(lab.folder, 'good');
    await hubHost.run(WIRETYPE, ['mesh', 'join', await invite(), '--name', 'good', '--enrol', '--state', good]);
    const agent = hubHost.start(WIRETYPE, ['mesh', 'agent', '--rootless', '--state', good]);
    await agent.says(/connected to the hub/);

    await stop(laptop);
    await laptop.machine.run('python3', ['-c', DAMAGE, join(laptop.state, 'node.json')]);
    await laptop.start();
    await laptop.agent!.says(/the map is damaged, and is asked for anew/);
    await waitFor('a new map', async () => (await peersOf(laptop)) === 'good');

    await flood(mesh, laptop);
    await server.machine.run('mkdir', ['-p', server.state]);
    await server.machine.write(
      join(server.state, 'node.json'),
      await laptop.machine.read(join(laptop.state, 'node.json')),
    );
    const address = (await laptop.status()).addresses[0]!;
    const hubAddress = address.replace(/\.\d+$/, '.1');
    await server.start();
    for (const site of [laptop, server]) site.machine.start('ping', ['-i', '0.5', hubAddress]);
    await hub.says(/two hosts use the key of laptop: revoke laptop, and let each host join by itself/);
    assert.match(await ask('nodes'), /laptop .*two hosts use its key/);
    assert.equal(hub.stderr.match(/two hosts use the key/g)!.length, 1, 'it is said once');
    const other = JSON.parse(await hubHost.run(WIRETYPE, ['mesh', 'status', '--json', '--state', good]));
    assert.equal(other.hub.isConnected, true, 'nobody else is disturbed');
  });
});

/** A node floods the hub, and names a third party as its own address: both come to little harm, and others to none. */
async function flood({ lab, hubHost, hub, invite }: MeshLab, laptop: Site): Promise<void> {
  const victim = await lab.host('victim');
  await lab.cable([victim, 'eth0'], [hubHost, 'port9']);
  await hubHost.ip('link set port9 master br0');
  await addAddresses([victim, 'eth0', `${VICTIM}/24`]);
  await victim.nft('table ip seen { chain input { type filter hook input priority 0; udp dport 1-65535 counter\n}\n}');
  const before = residentBytes(hub);
  const { addresses } = await laptop.status();
  const ping = laptop.machine.run('ping', ['-c', '40', '-i', '0.2', addresses[0]!.replace(/\.\d+$/, '.1')]);
  const input = await invite();
  const program = hubHost.start(process.execPath, [PROGRAM, VICTIM, '8'], { input });
  await program.says(/done/);
  assert.match(await ping, / 0% packet loss/, 'others are not disturbed');
  const { stdout } = await victim.attempt('nft', ['list', 'ruleset']);
  const count = Number(/packets (\d+)/.exec(stdout)?.[1]);
  assert.ok(count > 0 && count <= NODES * MAX_PROBES, `${count} datagrams reached the third party`);
  const grown = residentBytes(hub) - before;
  assert.ok(grown < 100_000_000, `the hub grew by ${grown} bytes`);
  assert.equal(hub.isRunning, true);
}

function residentBytes({ pid }: { readonly pid: number | undefined }): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

async function stop(site: Site): Promise<void> {
  site.agent!.signal('SIGTERM');
  await site.agent!.exited;
}

/**
 * A host of a locked network whose clock is years ahead refuses all records, until the clock is set back. Others refuse handshakes
 * that are older than the last one, so that its handshakes must stay in the future.
 */
async function setClockBack(t: TestContext, laptop: Site, server: Site): Promise<void> {
  const clock = new WrongClock(t, THREE_YEARS_MS);
  server.env = clock.env;
  await stop(server);
  await server.start();
  await server.agent!.says(/refused the record of laptop \(expired\)/);
  const text = await server.wiretype('status');
  assert.match(text, /the clock of this host is 1095 days ahead of the hub's; records are refused by it/);

  clock.set(0);
  await server.agent!.says(/the clock of this host is right again/);
  await waitFor('the laptop', async () => (await peersOf(server)) === 'laptop');
  assert.equal(await countLost(laptop, SERVER, 10), 0, 'without another start');
  server.agent!.signal('SIGKILL');
  await server.agent!.exited;
  await server.start();
  assert.equal(await countLost(server, LAPTOP, 10), 0, 'after another start');
  await waitForPath(laptop, 'server', 'direct');
  await waitForPath(server, 'laptop', 'direct');
}

async function restart({ hub, startHub }: MeshLab, meanwhile: () => Promise<void>): Promise<void> {
  hub.signal('SIGTERM');
  await hub.exited;
  await meanwhile();
  await startHub();
}

async function peersOf(site: Site): Promise<string> {
  return (await site.status()).peers.map(({ name }) => name).join();
}

/**
 * `wiretype up` and `down` on hosts that refuse something, or where something was ended in the middle.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CHECKOUT, subject } from '../lab/implementation.js';
import type { Machine } from '../lab/machine.js';
import { fileWith, hostState, openClient } from '../lab/quick-client.js';
import { waitFor } from '../lab/wait.js';

const FILE = '/etc/wireguard/wg0.conf';
const WIRETYPE = `${CHECKOUT}bin/wiretype`;
const UP = ['up', '--implementation', subject.command, 'wg0'];
const EVERYTHING = 'Address = 10.66.0.2/24';

describe('a host of its own kind', { concurrency: 2 }, () => {
  it('with a read-only /proc/sys is set up and taken down, as often as you like', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fullTunnel());
    await client.run('bash', ['-c', 'mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys']);
    const before = await hostState(client);

    for (const call of [UP, ['down', 'wg0'], UP, ['down', 'wg0']]) {
      const { status, stderr } = await client.wiretype(...call);
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
    assert.equal(await hostState(client), before);
    assert.equal(await client.run('bash', ['-c', 'ls /run/wiretype/*/ | grep -v lock || true']), '');
  });

  it('finds its programs without a PATH', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fullTunnel(['PostUp = nft list tables > /run/said']));
    const before = await hostState(client);
    const cleared = (...call: string[]) => client.attempt('env', ['-i', process.execPath, WIRETYPE, ...call]);

    const up = await cleared('up', 'wg0');
    assert.equal(up.status, 0, up.stderr);
    assert.match(await client.read('/run/said'), /wg-quick-wg0/);
    const down = await cleared('down', 'wg0');
    assert.equal(down.status, 0, down.stderr);
    assert.equal(await hostState(client), before);
  });

  for (const [what, command] of [
    ['read-only', 'mount -o remount,ro /run'],
    ['full', 'mount -o remount,size=64k /run; cat /dev/zero > /run/fill 2> /dev/null || true'],
    [
      'without inodes',
      'mount -o remount,nr_inodes=100 /run; for i in {1..200}; do : > /run/fill$i; done 2> /dev/null; true',
    ],
  ] as const) {
    it(`whose /run is ${what} says so, and is as before`, { timeout: 240_000 }, async (t) => {
      const { client } = await openClient(t);
      await client.write(FILE, fullTunnel());
      const before = await hostState(client);
      await client.run('bash', ['-c', command]);

      const { status, stderr } = await client.wiretype(...UP);

      assert.equal(status, 1, stderr);
      assert.match(stderr, /ERR_RECORD/);
      assert.doesNotMatch(stderr, /^\s+at |another command/m);
      assert.equal(await hostState(client), before);
    });
  }

  it('where somebody has damaged the record is taken down', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fullTunnel());
    for (const damaged of [
      '{"diverted":5,"table":"x","hooks":[1],"routes":{},"endpoints":7,"dns":4}',
      '[]',
      '{"diverted":[5]}',
    ]) {
      const before = await hostState(client);
      assert.equal((await client.wiretype(...UP)).status, 0);
      await client.run('bash', ['-c', `echo '${damaged}' > /run/wiretype/*/wg0.json`]);

      const { status, stderr } = await client.wiretype('down', 'wg0');

      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /TypeError/);
      await client.run('bash', [
        '-c',
        'ip -4 rule del not fwmark 51820 2>/dev/null; ip -6 rule del not fwmark 51820 2>/dev/null; true',
      ]);
      assert.ok(!(await hostState(client)).includes('wg0:'), before);
    }
  });
});

describe('an interface in another network namespace', () => {
  it('is not gone: PreDown brings it back, and without that nothing is touched', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.run('ip', ['netns', 'add', 'inner']);
    const hooks = ['Table = off', 'PostUp = ip link set %i netns inner'];
    const back = `PreDown = ip -n inner link set %i netns ${client.pid}; echo ran >> /run/pre-down`;
    await client.write(FILE, fileWith([...hooks, back].join('\n')));
    const before = await hostState(client);

    assert.equal((await client.wiretype(...UP)).status, 0);
    await client.write(FILE, fileWith(hooks.join('\n')));
    const without = await client.wiretype('down', 'wg0');
    const again = await client.wiretype(...UP);
    await client.write(FILE, fileWith([...hooks, back].join('\n')));
    const down = await client.wiretype('down', 'wg0');

    for (const { status, stderr } of [without, again]) {
      assert.equal(status, 1);
      assert.match(stderr, /wg0 is in the network namespace inner \(ERR_OTHER_NAMESPACE\)/);
    }
    assert.equal(down.status, 0, down.stderr);
    assert.equal(await client.read('/run/pre-down'), 'ran\n');
    assert.equal(await hostState(client), before);
  });
});

describe('up that was killed', { concurrency: 2 }, () => {
  for (const [moment, hook] of [
    ['in PreUp', 'PreUp'],
    ['in PostUp', 'PostUp'],
  ] as const) {
    it(`${moment} is cleared up after by down`, { timeout: 240_000 }, async (t) => {
      const { client } = await openClient(t);
      const hooks = [
        `${hook} = echo waiting; exec sleep 60`,
        'PostUp = nft add table inet of-a-hook',
        'PreDown = nft delete table inet of-a-hook',
      ];
      await client.write(FILE, fullTunnel(hooks));
      const before = await hostState(client);
      const up = client.start(WIRETYPE, UP);
      await up.says(/^waiting/m);
      up.signal('SIGKILL');
      await up.exited;

      const { status, stderr } = await client.wiretype('down', 'wg0');

      assert.equal(status, 0, stderr);
      assert.equal(stderr.includes('PreDown'), hook === 'PostUp', 'what was not done is not undone');
      assert.equal(await hostState(client), before);
    });
  }

  it('leaves no traffic in clear when its daemon dies, until down', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fullTunnel());
    const before = await hostState(client);
    assert.equal((await client.wiretype(...UP)).status, 0);
    await client.run('ip', ['link', 'delete', 'wg0']);
    await waitFor(
      'the daemon to end',
      async () => (await client.attempt('test', ['-S', '/run/wireguard/wg0.sock'])).status !== 0,
    );

    for (const [family, address] of [
      ['-4', '198.51.100.7'],
      ['-6', '2001:db8:7::7'],
    ] as const) {
      assert.notEqual((await client.attempt('ip', [family, 'route', 'get', address])).status, 0, family);
    }
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
    assert.equal(await hostState(client), before);
  });

  it('does not run PostDown where neither PreUp nor PostUp has run', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fullTunnel(['ListenPort = 51999', 'PostUp = true', 'PostDown = echo ran > /run/ran']));
    await client.write('/etc/wireguard/wg1.conf', fullTunnel(['ListenPort = 51999']));
    assert.equal((await client.wiretype('up', '--implementation', subject.command, 'wg1')).status, 0);

    const { status, stderr } = await client.wiretype(...UP);

    assert.equal(status, 1);
    assert.match(stderr, /port 51999 is in use/);
    assert.notEqual((await client.attempt('ls', ['/run/ran'])).status, 0);
  });
});

describe('a reader that goes away', { concurrency: 2 }, () => {
  it('leaves up and down finished or undone, never half', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fullTunnel(['DNS = 10.66.0.1', 'PostUp = true', 'PreDown = true']));
    const before = await hostState(client);
    const call = async (words: string) => await client.attempt('bash', ['-c', `${WIRETYPE} ${words}`]);
    assert.equal((await client.wiretype(...UP)).status, 0);
    const whole = await hostState(client);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);

    for (const ending of ['2>&1 | head -1', '2>&1 | head -3', '2>&1 | head -5', '2>&-', '2> /dev/full']) {
      await call(`up --implementation ${subject.command} wg0 ${ending}`);
      await settled(client, [before, whole], `up ${ending}`);
      await call(`reload wg0 ${ending}`);
      await settled(client, [before, whole], `reload ${ending}`);
      await call(`down wg0 ${ending}`);
      await settled(client, [before], `down ${ending}`);
    }
  });

  it('and takes its terminal along has up undone, in PostUp as before', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fullTunnel(['PostUp = touch /run/waiting; sleep 20', 'PostDown = touch /run/undone']));
    const before = await hostState(client);

    const command = `${WIRETYPE} ${UP.join(' ')}`;
    const terminal = client.start('script', ['-qec', command, '/dev/null']);
    await waitFor('PostUp', async () => (await client.attempt('ls', ['/run/waiting'])).status === 0);
    terminal.signal('SIGKILL');

    await waitFor('the end of the work', async () => (await client.attempt('ls', ['/run/undone'])).status === 0);
    await settled(client, [before], 'up');
  });
});

async function settled(client: Machine, states: readonly string[], what: string): Promise<void> {
  let state = '';
  await waitFor(`a whole state after ${what}`, async () => {
    state = await hostState(client);
    return states.includes(state);
  });
}

function fullTunnel(lines: readonly string[] = []): string {
  return fileWith([EVERYTHING, ...lines].join('\n')).replace(/AllowedIPs = .*/, 'AllowedIPs = 0.0.0.0/0, ::/0');
}

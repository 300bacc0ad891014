/**
 * The host is unchanged when `wiretype up` or `down` cannot be finished.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CHECKOUT, subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import type { Machine } from '../lab/machine.js';
import { hostState, openClient } from '../lab/quick-client.js';
import { waitFor } from '../lab/wait.js';

const UP = ['up', '--implementation', subject.command, 'wg0'];

/** Refuses the call that changes something and whose number is in /run/refused; counts in /run/calls. Questions (-j) pass. */
const REFUSE = `
  if [[ " $* " =~ " add "|" set "|" -batch "|" -f " && " $* " != *" -j "* ]]; then
    calls=$(( $(cat /run/calls 2> /dev/null || echo 0) + 1 )); echo $calls > /run/calls
    [[ $calls == "$(cat /run/refused)" ]] && { echo "refused by the test" >&2; exit 2; }
  fi`;

describe('up that cannot be finished', { concurrency: 2 }, () => {
  it('leaves nothing behind, whichever command fails', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write('/etc/wireguard/wg0.conf', fileOf(['DNS = 10.66.0.1']));
    await client.install('ip', `${REFUSE}\nexec /usr/sbin/ip "$@"`);
    await client.install('nft', `${REFUSE}\nexec /usr/sbin/nft "$@"`);
    // Without the second choice the first has to succeed.
    for (const program of ['iptables-restore', 'ip6tables-restore']) await client.install(program, 'exit 1');
    const before = await hostState(client);

    let refused = 0;
    for (let isUp = false; !isUp; ) {
      await client.run('bash', ['-c', `echo ${++refused} > /run/refused; rm -f /run/calls`]);
      const { status, stderr } = await client.wiretype(...UP);
      isUp = status === 0;
      if (isUp) break;
      assert.equal(status, 1, stderr);
      assert.match(stderr, /refused by the test/, `command ${refused}`);
      await waitForState(client, before, `after command ${refused} failed\n${stderr}`);
    }

    assert.ok(refused > 6, `${refused} commands were refused in turn`);
    await client.run('rm', ['/run/refused']);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
    await waitForState(client, before, 'after down');
  });

  it('says which line failed, and runs the hooks of the way down', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const hooks = [
      'PostUp = nft add table inet of-a-hook',
      'PostUp = exit 3',
      'PostUp = echo never > /run/never',
      'PreDown = nft delete table inet of-a-hook',
      'PostDown = ip link show dev %i || echo gone > /run/after',
    ];
    await client.write('/etc/wireguard/wg0.conf', fileOf(hooks));
    const before = await hostState(client);

    const { status, stderr } = await client.wiretype(...UP);

    assert.equal(status, 1);
    assert.match(stderr, /wg0\.conf:4: PostUp ended with status 3: exit 3 \(ERR_HOOK\)/);
    await waitForState(client, before, stderr);
    assert.equal(await client.read('/run/after'), 'gone\n');
    assert.notEqual((await client.attempt('cat', ['/run/never'])).status, 0);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`undoes everything on ${signal}`, { timeout: 240_000 }, async (t) => {
      const { client } = await openClient(t);
      await client.write('/etc/wireguard/wg0.conf', fileOf(['PostUp = echo waiting; exec sleep 60']));
      const before = await hostState(client);

      const up = client.start(`${CHECKOUT}bin/wiretype`, UP);
      await up.says(/^waiting/m);
      up.signal(signal);

      assert.equal(await up.exited, signal === 'SIGINT' ? 130 : 143, up.stderr);
      assert.match(up.stderr, new RegExp(`interrupted by ${signal}`));
      await waitForState(client, before, up.stderr);
    });
  }

  it('lets one of two win, and the other say so', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write('/etc/wireguard/wg0.conf', fileOf([]));
    const before = await hostState(client);

    const ends = await Promise.all([1, 2, 3].map(async () => await client.wiretype(...UP)));

    assert.deepEqual(ends.map(({ status }) => status).sort(), [0, 1, 1]);
    for (const { stderr } of ends.filter(({ status }) => status === 1)) {
      assert.match(stderr, /`wg0' already exists|another command is at work on `wg0'/);
    }
    assert.match(await client.run('wg', ['show', 'wg0']), /allowed ips: .*0\.0\.0\.0\/0/);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
    await waitForState(client, before, 'after down');
  });

  it('says what is wrong with the program that makes the interface', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write('/etc/wireguard/wg0.conf', fileOf([]));
    await client.install('broken', 'exit 5');
    await client.install('idle', 'exit 0');
    const before = await hostState(client);

    for (const [program, why] of [
      ['missing', /missing: command not found \(ERR_BACKEND\)/],
      ['broken', /broken wg0 ended with status 5/],
      ['idle', /idle ended without making the interface wg0/],
    ] as const) {
      const { status, stderr } = await client.wiretype('up', '--implementation', program, 'wg0');
      assert.equal(status, 1);
      assert.match(stderr, why);
    }
    assert.equal(await hostState(client), before);
  });
});

describe('down', { concurrency: 2 }, () => {
  it('clears up after an interface whose daemon has died', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(
      '/etc/wireguard/wg0.conf',
      fileOf(['DNS = 10.66.0.1', 'PreDown = echo pre >> /run/after', 'PostDown = echo %i >> /run/after']),
    );
    const before = await hostState(client);
    for (const command of ['down', 'up'] as const) {
      assert.equal((await client.wiretype(...UP)).status, 0);
      for (const pid of await daemonIds(client)) process.kill(pid, 'SIGKILL');
      await waitFor(
        'the interface to go',
        async () => (await client.attempt('ip', ['link', 'show', 'wg0'])).status !== 0,
      );
      await client.run('rm', ['-f', '/run/wireguard/wg0.sock']);

      const { status, stderr } = await client.wiretype(...(command === 'up' ? UP : ['down', 'wg0']));

      assert.equal(status, 0, stderr);
      assert.match(stderr, /clearing up after it/);
      if (command === 'up') assert.equal((await client.wiretype('down', 'wg0')).status, 0);
      await waitForState(client, before, stderr);
    }
    assert.equal(await client.read('/run/after'), 'pre\nwg0\n'.repeat(3), 'the commands undo what those of PostUp did');
  });

  it('stops before anything has changed when a PreDown command fails', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write('/etc/wireguard/wg0.conf', fileOf(['PreDown = test -e /run/allowed', 'PostDown = exit 9']));
    const before = await hostState(client);
    assert.equal((await client.wiretype(...UP)).status, 0);
    const up = await hostState(client);

    assert.equal((await client.wiretype('down', 'wg0')).status, 1);
    assert.equal(await hostState(client), up);

    await client.run('touch', ['/run/allowed']);
    const last = await client.wiretype('down', 'wg0');
    assert.equal(last.status, 1, 'a PostDown command failed');
    assert.match(last.stderr, /wg0\.conf:4: PostDown ended with status 9/);
    await waitForState(client, before, last.stderr);
  });

  it('refuses what is no WireGuard interface', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write('/etc/wireguard/eth0.conf', fileOf([]));
    await client.write('/etc/wireguard/wg0.conf', fileOf([]));

    for (const name of ['eth0', 'wg0']) {
      const { status, stderr } = await client.wiretype('down', name);
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`\`${name}' is not a WireGuard interface`));
    }
    assert.match((await client.wiretype('up', 'eth0')).stderr, /`eth0' already exists/);
    assert.match(await client.host.ip('link show eth0'), /state UP/);
  });
});

function fileOf(ofInterface: readonly string[]): string {
  const { privateKey } = generateKeyPair();
  const { publicKey } = generateKeyPair();
  return [
    '[Interface]',
    `PrivateKey = ${privateKey}`,
    ...ofInterface,
    'Address = 10.66.0.2/24, fd66::2/64',
    '[Peer]',
    `PublicKey = ${publicKey}`,
    'AllowedIPs = 0.0.0.0/0, fd99::/48',
    'Endpoint = 203.0.113.9:51820',
    '',
  ].join('\n');
}

/** A daemon ends a moment after its interface does. */
async function waitForState(client: Machine, state: string, context: string): Promise<void> {
  await waitFor('the socket to go', async () => !(await client.run('ls', ['/run/wireguard'])).includes('wg0'));
  assert.equal(await hostState(client), state, context);
}

async function daemonIds(client: Machine): Promise<number[]> {
  const ids = await client.host.processIds();
  const texts = await Promise.all(ids.map(async (id) => await client.run('cat', [`/proc/${id}/cmdline`])));
  return ids.filter((_, i) => texts[i]!.includes('wg0') && !texts[i]!.includes('nsenter'));
}

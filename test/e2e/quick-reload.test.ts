/**
 * `wiretype reload`: the running interface becomes what its file says, and sessions go on.
 *
 * Topology: test/lab/quick-client.ts.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assertFitsSchema } from '../cli/device/check-schema.js';
import { subject } from '../lab/implementation.js';
import { generateKeyPair, generatePresharedKey } from '../lab/keys.js';
import type { Machine } from '../lab/machine.js';
import { clientConfig, hostState, INTERNET, openQuickClient, type QuickClient } from '../lab/quick-client.js';
import { assertPings } from '../lab/traffic.js';
import { waitFor } from '../lab/wait.js';

const FILE = '/etc/wireguard/wg0.conf';

describe('reload', { concurrency: 2 }, () => {
  it('refuses an MTU that IPv6 routes cannot have, and changes nothing', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client } = setting;
    const lines = (mtu: number) => ({
      interface: ['Address = 10.66.0.2/24, fd66::2/64', `MTU = ${mtu}`],
      peer: ['AllowedIPs = 10.66.0.0/24, fd99::/48'],
    });
    await up(setting, lines(1400));
    const before = await hostState(client);
    await write(setting, lines(1200));

    const { status, stderr } = await client.wiretype('reload', 'wg0');

    assert.equal(status, 1);
    assert.match(stderr, /the IPv6 routes need an MTU of 1280, not 1200/);
    assert.equal(await hostState(client), before);
  });

  it('leaves a prefix with the peer that has it, however often it is asked', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client } = setting;
    const other = generateKeyPair().publicKey;
    const peer = [
      'AllowedIPs = 10.99.0.0/16, 10.66.0.0/24',
      '[Peer]',
      `PublicKey = ${other}`,
      'AllowedIPs = 10.99.0.0/16',
    ];
    await up(setting, { interface: ['Address = 10.66.0.2/24'], peer });

    for (let i = 0; i < 2; i++) assert.deepEqual(linesOf(await reload(client)), []);

    assert.match(
      await client.run('wg', ['show', 'wg0', 'allowed-ips']),
      new RegExp(`${other.replace(/[+]/g, '\\+')}\t10.99.0.0/16`),
    );
  });

  it('changes addresses, routes, MTU, name servers and peers, and nothing else', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client } = setting;
    const before = await hostState(client);
    await up(setting, {
      interface: ['Address = 10.66.0.2/24', 'DNS = 10.66.0.1', 'PostUp = echo up >> /run/hooks'],
      peer: ['AllowedIPs = 10.66.0.0/24, 10.99.0.0/16'],
    });
    await client.host.ip('route add 10.123.0.0/16 dev wg0');
    await assertPings(client.host, '10.66.0.1');
    const handshake = await handshakeOf(client);
    const other = generateKeyPair().publicKey;
    await write(setting, {
      interface: [
        'Address = 10.66.0.2/24, fd66::2/64',
        'DNS = 10.66.0.9',
        'MTU = 1380',
        'PostUp = echo up >> /run/hooks',
      ],
      peer: [
        'AllowedIPs = 10.66.0.0/24, 10.98.0.0/16, fd66::/64',
        '[Peer]',
        `PublicKey = ${other}`,
        'AllowedIPs = 10.97.0.0/16',
        `PresharedKey = ${generatePresharedKey()}`,
      ],
    });

    const planned = await reload(client, '--dry-run');
    assert.match(await client.host.ip('route show dev wg0'), /10\.99\.0\.0\/16/, 'a dry run changes nothing');
    const done = await reload(client);

    assert.equal(planned, done.replace('9 changes', '9 changes, not made'));
    assert.deepEqual(linesOf(done), [
      `~ peer ${setting.serverWireguard.publicKey} allowed IPs 10.66.0.0/24, 10.98.0.0/16, fd66::/64`,
      `+ peer ${other} 10.97.0.0/16`,
      '~ MTU 1420 → 1380',
      '+ address fd66::2/64',
      '- route 10.99.0.0/16',
      '+ route 10.98.0.0/16',
      '+ route 10.97.0.0/16',
      '- nameserver 10.66.0.1',
      '+ nameserver 10.66.0.9',
    ]);
    const routes = await client.host.ip('route show dev wg0');
    assert.deepEqual(routes.match(/10\.\d+\.0\.0\/\d+/g)?.sort(), [
      '10.123.0.0/16', // another program's
      '10.66.0.0/24',
      '10.97.0.0/16',
      '10.98.0.0/16',
    ]);
    assert.match(await client.host.ip('link show wg0'), /mtu 1380/);
    assert.match(await client.read('/etc/resolv.conf'), /^nameserver 10\.66\.0\.9$/m);
    assert.equal(await handshakeOf(client), handshake, 'the session goes on');
    assert.equal(await client.read('/run/hooks'), 'up\n', 'hooks do not run');
    await assertPings(client.host, 'fd66::1');

    assert.deepEqual(linesOf(await reload(client)), []);
    const json = JSON.parse(await reload(client, '--json', '--dry-run'));
    assertFitsSchema(json, 'reload.json');
    assert.deepEqual(json, { interface: 'wg0', isDryRun: true, changes: [] });
    await down(client);
    assert.equal(await hostState(client), before);
  });

  it('starts and stops to take all traffic', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client } = setting;
    const before = await hostState(client);
    const part = { interface: ['Address = 10.66.0.2/24, fd66::2/64'], peer: ['AllowedIPs = 10.66.0.0/24'] };
    const all = { interface: part.interface, peer: ['AllowedIPs = 0.0.0.0/0, ::/0'] };
    await up(setting, all);
    const upWithAll = await hostState(client);
    await down(client);
    await up(setting, part);
    const upWithPart = await hostState(client);

    await write(setting, all);
    assert.match(await reload(client), /\+ default route IPv4/);
    assert.equal(await hostState(client), upWithAll);
    const sentBefore = (await setting.serverWireguard.peer()).rxBytes;
    await assertPings(client.host, INTERNET[4]);
    await assertPings(client.host, INTERNET[6]);
    assert.ok((await setting.serverWireguard.peer()).rxBytes > sentBefore, 'by the tunnel');

    await write(setting, part);
    assert.match(await reload(client), /- default route IPv6/);
    assert.equal(await hostState(client), upWithPart);
    await down(client);
    assert.equal(await hostState(client), before);
  });

  it('replaces the only address of a subnet, and all routes stay', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client } = setting;
    await up(setting, { interface: ['Address = 10.66.0.7/24'], peer: ['AllowedIPs = 0.0.0.0/0, 10.99.0.0/16'] });

    await write(setting, { interface: ['Address = 10.66.0.2/24'], peer: ['AllowedIPs = 0.0.0.0/0, 10.99.0.0/16'] });
    assert.deepEqual(linesOf(await reload(client)), ['+ address 10.66.0.2/24', '- address 10.66.0.7/24']);

    assert.deepEqual((await client.host.ip('-o -4 addr show wg0')).match(/10\.\S+/g), ['10.66.0.2/24']);
    assert.match(await client.host.ip('route show table all'), /default dev wg0 table 51820/);
    assert.match(await client.run('nft', ['list', 'ruleset']), /ip daddr 10\.66\.0\.2 /, 'the packet filter follows');
    assert.doesNotMatch(await client.run('nft', ['list', 'ruleset']), /10\.66\.0\.7/);
    await assertPings(client.host, INTERNET[4]);

    await write(setting, { interface: [], peer: ['AllowedIPs = 0.0.0.0/0, 10.99.0.0/16'] });
    await reload(client);
    assert.match(await client.host.ip('route show table all'), /default dev wg0 table 51820/);
    assert.match(await client.host.ip('route show'), /10\.99\.0\.0\/16 dev wg0/);
    await down(client);
  });

  it('takes everything back when a step fails, and says which', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client } = setting;
    await up(setting, {
      interface: ['Address = 10.66.0.2/24', 'DNS = 10.66.0.1'],
      peer: ['AllowedIPs = 10.66.0.0/24, 10.99.0.0/16'],
    });
    await assertPings(client.host, '10.66.0.1');
    const before = [await hostState(client), await deviceOf(client)];
    await write(setting, {
      interface: ['Address = 10.66.0.3/24', 'DNS = 10.66.0.9', 'MTU = 1380', 'FwMark = 7'],
      peer: ['AllowedIPs = 0.0.0.0/0, 10.98.0.0/16', 'PersistentKeepalive = 25'],
    });

    for (const [program, pattern] of [
      ['nft', '-f'],
      ['ip', 'rule add'],
      ['ip', 'address delete'],
      ['ip', 'link set'],
    ] as const) {
      const real = program === 'ip' ? '/usr/sbin/ip' : '/usr/sbin/nft';
      await client.run('rm', ['-f', '/run/once']);
      await client.install(
        program,
        `if [[ "$*" == *"${pattern}"* && ! -e /run/once ]]; then touch /run/once; echo "no $*" >&2; exit 2; fi; exec ${real} "$@"`,
      );
      for (const other of ['iptables-restore', 'ip6tables-restore'])
        await client.install(other, 'echo refused >&2; exit 1');

      const { status, stderr } = await client.wiretype('reload', 'wg0');
      await client.uninstall(program);

      assert.equal(status, 1, `${program} ${pattern}`);
      assert.match(stderr, /wiretype reload: .*(no .*|refused) \(ERR_COMMAND_FAILED\)/);
      assert.deepEqual([await hostState(client), await deviceOf(client)], before, `${program} ${pattern}\n${stderr}`);
    }
    await assertPings(client.host, '10.66.0.1');
    await down(client);
  });

  it('leaves a peer that has roamed where it is', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client, serverWireguard } = setting;
    await up(setting, { interface: ['Address = 10.66.0.2/24'], peer: ['AllowedIPs = 10.66.0.0/24'] });
    await client.run('wg', ['set', 'wg0', 'peer', serverWireguard.publicKey, 'endpoint', '[2001:db8:c::1]:51820']);

    await write(setting, {
      interface: ['Address = 10.66.0.2/24'],
      peer: ['AllowedIPs = 10.66.0.0/24', 'PersistentKeepalive = 25'],
    });
    const lines = linesOf(await reload(client));

    assert.deepEqual(lines, [`~ peer ${serverWireguard.publicKey} persistent keepalive 25`]);
    assert.match(await client.run('wg', ['show', 'wg0', 'endpoints']), /\[2001:db8:c::1\]:51820/);
    await down(client);
  });

  it('works on what stock wg-quick has set up', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client } = setting;
    const before = await hostState(client);
    await write(setting, { interface: ['Address = 10.66.0.2/24'], peer: ['AllowedIPs = 0.0.0.0/0, 10.99.0.0/16'] });
    await client.run('wg-quick', ['up', 'wg0'], { env: { WG_QUICK_USERSPACE_IMPLEMENTATION: subject.command } });
    assert.deepEqual(linesOf(await reload(client, '--dry-run')), []);

    await write(setting, { interface: ['Address = 10.66.0.2/24'], peer: ['AllowedIPs = 10.66.0.1/32, 10.98.0.0/16'] });
    await reload(client);

    assert.doesNotMatch(await client.host.ip('route show table all dev wg0'), /10\.99|default/);
    assert.match(await client.host.ip('route show dev wg0'), /10\.98\.0\.0\/16/);
    assert.equal(await client.run('wg', ['show', 'wg0', 'fwmark']), 'off\n');
    await down(client);
    assert.equal((await hostState(client)).replace(/^1$/m, '0'), before);
  });
});

type Lines = NonNullable<Parameters<typeof clientConfig>[1]>;

async function write(setting: QuickClient, lines: Lines): Promise<void> {
  await setting.client.write(FILE, clientConfig(setting, lines));
}

async function up(setting: QuickClient, lines: Lines): Promise<void> {
  await write(setting, lines);
  const { status, stderr } = await setting.client.wiretype('up', '--implementation', subject.command, 'wg0');
  assert.equal(status, 0, stderr);
}

async function down(client: Machine): Promise<void> {
  const { status, stderr } = await client.wiretype('down', 'wg0');
  assert.equal(status, 0, stderr);
  await waitFor('the daemon to end', async () => (await client.run('ls', ['/run/wireguard'])) === '');
}

async function reload(client: Machine, ...options: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await client.wiretype('reload', ...options, 'wg0');
  assert.equal(status, 0, stderr);
  return stdout;
}

function linesOf(plan: string): string[] {
  return plan
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim());
}

async function handshakeOf(client: Machine): Promise<string> {
  return (await client.run('wg', ['show', 'wg0', 'latest-handshakes'])).split('\n')[0]!;
}

/** Without counters and handshake times. */
async function deviceOf(client: Machine): Promise<string> {
  return await client.run('wg', ['showconf', 'wg0']);
}

/**
 * How `wiretype up` and `down` are called, and with what rights: by the name `wg-quick`, by a user, by systemd.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { CHECKOUT, subject } from '../lab/implementation.js';
import type { Machine } from '../lab/machine.js';
import { fileWith, hostState, openClient } from '../lab/quick-client.js';
import { copyReadable } from '../lab/readable-checkout.js';

const FILE = '/etc/wireguard/wg0.conf';

describe('the name wg-quick', { concurrency: 2 }, () => {
  it('is what scripts expect: arguments, messages, statuses', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.run('ln', ['-s', `${CHECKOUT}bin/wiretype`, `${client.programs}/wg-quick`]);
    await client.write(FILE, fileWith('Address = 10.66.0.2/24'));
    const env = { WG_QUICK_USERSPACE_IMPLEMENTATION: subject.command };
    const wgQuick = async (...args: string[]) => await client.attempt(`${client.programs}/wg-quick`, args, { env });

    assert.equal((await wgQuick('help')).status, 0);
    for (const args of [[], ['up'], ['restart', 'wg0'], ['up', 'wg0', 'wg1'], ['--implementation', '', 'up', 'wg0']]) {
      const { status, stderr, stdout } = await wgQuick(...args);
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, /^Usage: wg-quick/);
    }
    assert.equal((await wgQuick('up', 'nope')).stderr, "wg-quick: `/etc/wireguard/nope.conf' does not exist\n");
    assert.deepEqual((await wgQuick('down', 'wg0')).stderr, "wg-quick: `wg0' is not a WireGuard interface\n");
    assert.equal((await wgQuick('up', 'wg0')).status, 0);
    assert.equal((await wgQuick('up', 'wg0')).stderr, "wg-quick: `wg0' already exists\n");
    assert.equal((await wgQuick('save', 'wg0')).status, 0);
    assert.equal((await wgQuick('down', 'wg0')).status, 0);
  });

  it('runs itself again through sudo when it is not root, without variables that choose code', {
    timeout: 240_000,
  }, async (t) => {
    const { client } = await openClient(t);
    const program = `${await copyReadable(t)}bin/wiretype`;
    await client.run('bash', ['-c', 'mkdir /run/bin; ln -s "$0" /run/bin/wg-quick', program]);
    await client.write(
      '/run/bin/sudo',
      '#!/bin/bash\nprintf "%s|" "$@"; env | grep -E "^(NODE|WG_QUICK|WIRETYPE)_"; exit 7\n',
      '755',
    );
    const nobody = async (...words: string[]) =>
      await client.attempt('setpriv', ['--reuid=65534', '--clear-groups', ...words], {
        env: {
          WG_QUICK_USERSPACE_IMPLEMENTATION: 'other',
          NODE_OPTIONS: '--no-warnings',
          PATH: `/run/bin:${process.env['PATH']}`,
        },
      });

    const quick = await nobody('/run/bin/wg-quick', 'up', 'wg0');
    const chosen = await nobody('/run/bin/wg-quick', '--implementation', 'other', 'up', 'wg0');
    const own = await nobody(program, 'reload', '--dry-run', 'wg0');

    assert.equal(quick.status, 7, quick.stderr);
    assert.match(quick.stdout, /^-p\|wg-quick .*%u: \|--\|.*node\|.*\/wg-quick\|up\|wg0\|$/);
    assert.match(chosen.stdout, /\/wg-quick\|--implementation\|other\|up\|wg0\|$/);
    assert.equal(own.status, 7, own.stderr);
    assert.match(own.stdout, /\|reload\|--dry-run\|wg0\|$/);
  });
});

describe('the systemd unit', () => {
  it('gives up and down the capabilities that they need', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(
      FILE,
      fileWith('Address = 10.66.0.2/24\nDNS = 10.66.0.1').replace('10.0.0.0/8', '0.0.0.0/0, ::/0'),
    );
    const before = await hostState(client);
    const unit = readFileSync(`${CHECKOUT}systemd/wiretype@.service`, 'utf8');
    const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)![1]!.toLowerCase().replaceAll('cap_', '+').split(' ');
    const inUnit = ['--no-new-privs', `--bounding-set=-all,${names.join(',')}`, `${CHECKOUT}bin/wiretype`];

    const up = await client.attempt('setpriv', [...inUnit, 'up', '--implementation', subject.command, 'wg0']);
    assert.equal(up.status, 0, up.stderr);
    assert.match(await client.run('nft', ['list', 'ruleset']), /wg-quick-wg0/);
    const down = await client.attempt('setpriv', [...inUnit, 'down', 'wg0']);

    assert.equal(down.status, 0, down.stderr);
    assert.equal(await hostState(client), before);
  });
});

describe('the packet filter', () => {
  it('is made with iptables where nft refuses', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fileWith('Address = 10.66.0.2/24, fd66::2/64').replace('10.0.0.0/8', '0.0.0.0/0, ::/0'));
    await client.install('nft', '[[ $1 != -f ]] || { echo "no nftables" >&2; exit 1; }; exec /usr/sbin/nft "$@"');
    const before = await rulesOf(client);

    const up = await client.wiretype('up', '--implementation', subject.command, 'wg0');
    const [during4, during6] = await rulesOf(client);
    const down = await client.wiretype('down', 'wg0');

    assert.equal(up.status, 0, up.stderr);
    assert.match(up.stderr, /\[!\] nft -f -: no nftables: trying iptables/);
    assert.match(during4, /-A PREROUTING -d 10\.66\.0\.2\/32 ! -i wg0 .*"wg-quick\(8\) rule for wg0" -j DROP/);
    assert.match(during4, /-A POSTROUTING -p udp -m mark --mark 0xca6c .* -j CONNMARK --save-mark/);
    assert.match(during6, /-A PREROUTING -d fd66::2\/128 ! -i wg0 .* -j DROP/);
    assert.equal(down.status, 0, down.stderr);
    assert.deepEqual(await rulesOf(client), before);
  });
});

/** Rules only: iptables leaves its empty tables behind. */
async function rulesOf(client: Machine): Promise<[string, string]> {
  const rules = async (program: string) =>
    (await client.run(program, []))
      .split('\n')
      .filter((line) => line.startsWith('-A'))
      .join('\n');
  return [await rules('iptables-save'), await rules('ip6tables-save')];
}

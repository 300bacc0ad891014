/**
 * The commands of a file that run when `wiretype` sets its interface up and takes it down.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CHECKOUT, subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import { fileWith, hostState, openClient } from '../lab/quick-client.js';

const FILE = '/etc/wireguard/wg0.conf';

describe('the hooks of a file', { concurrency: 2 }, () => {
  it('reach bash as they are', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(
      FILE,
      fileWith(
        [
          'PreUp = echo "pre %i $INTERFACE $CONFIG_FILE $LC_ALL" > /run/hooks',
          'PostUp = echo "a # b; $((1 + 1))" >> /run/hooks # said',
          'PostUp = [[ abc == @(abc|d) ]] && wc -l < <(printf "x\\ny\\n") >> /run/hooks',
          'PostUp = ip link show dev %i up | grep -o "mtu [0-9]*" >> /run/hooks',
          'PostDown = ! ip link show dev %i && echo post >> /run/hooks',
        ].join('\n'),
      ),
    );

    const up = await client.wiretype('up', '--implementation', subject.command, 'wg0');
    const down = await client.wiretype('down', 'wg0');

    assert.equal(up.status, 0, up.stderr);
    assert.equal(down.status, 0, down.stderr);
    assert.match(up.stderr, /^\[#\] echo "a # b; \$\(\(1 \+ 1\)\)" >> \/run\/hooks # said$/m);
    assert.deepEqual((await client.read('/run/hooks')).trimEnd().split('\n'), [
      `pre wg0 wg0 ${FILE} C`,
      'a # b; 2',
      '2',
      'mtu 1420',
      'post',
    ]);
  });

  it('fail with the first command of a pipe that fails', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fileWith('PostUp = false | true'));

    const { status, stderr } = await client.wiretype('up', '--implementation', subject.command, 'wg0');

    assert.equal(status, 1);
    assert.match(stderr, /PostUp ended with status 1: false \| true/);
  });

  it('find the interface when PreUp runs, and a key set there stays', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const { privateKey } = generateKeyPair();
    await client.write('/run/key', `${privateKey}\n`);
    const file = fileWith('PreUp = ip link show dev %i && wg set %i private-key /run/key').replace(
      /PrivateKey.*\n/,
      '',
    );
    await client.write(FILE, file);

    const { status, stderr } = await client.wiretype('up', '--implementation', subject.command, 'wg0');

    assert.equal(status, 0, stderr);
    assert.equal(await client.run('wg', ['show', 'wg0', 'private-key']), `${privateKey}\n`);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
  });

  it('find the programs beside the one that runs them', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.run('bash', ['-c', 'mkdir /run/own; ln -s "$0"bin/wiretype /run/own/wg-quick', CHECKOUT]);
    await client.run('ln', ['-s', `${CHECKOUT}bin/wiretype`, '/run/own/wg']);
    await client.write(FILE, fileWith('PostUp = wg --version > /run/version'));

    const env = { WG_QUICK_USERSPACE_IMPLEMENTATION: subject.command };
    const { status, stderr } = await client.attempt('/run/own/wg-quick', ['up', 'wg0'], { env });

    assert.equal(status, 0, stderr);
    assert.match(await client.read('/run/version'), /v1\.0\.20260223/);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
  });
});

describe('a file that has gone', () => {
  it('does not keep the interface from being taken down', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const before = await hostState(client);
    await client.write(FILE, fileWith('Address = 10.66.0.2/24\nDNS = 10.66.0.1').replace('10.0.0.0/8', '0.0.0.0/0'));
    assert.equal((await client.wiretype('up', '--implementation', subject.command, 'wg0')).status, 0);
    await client.run('rm', [FILE]);

    for (const command of ['up', 'save', 'reload', 'strip']) {
      const { status, stderr } = await client.wiretype(command, 'wg0');
      assert.equal(status, 1, command);
      assert.match(stderr, /`\/etc\/wireguard\/wg0\.conf' does not exist/);
    }
    const down = await client.wiretype('down', 'wg0');

    assert.equal(down.status, 0, down.stderr);
    assert.match(down.stderr, /^\[!\] .*wg0\.conf' does not exist: taking wg0 down without its commands$/m);
    assert.equal(await hostState(client), before);
    assert.equal((await client.wiretype('down', 'wg0')).status, 1, 'there is nothing left');
  });
});

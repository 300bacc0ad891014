/**
 * Name servers of a tunnel, by each of the ways to set them, and where none of them works.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import type { Machine } from '../lab/machine.js';
import { hostState, openClient } from '../lab/quick-client.js';

describe('name servers of a tunnel', { concurrency: 2 }, () => {
  it('go to resolvectl where programs ask systemd-resolved', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    await client.install('resolvectl', 'echo "resolvectl $*" >> /run/log');
    await client.install('resolvconf', 'echo "resolvconf $*" >> /run/log');
    await client.write('/etc/resolv.conf', 'nameserver 127.0.0.53\n', '644');

    await upAndDown(client);

    assert.equal(
      await client.read('/run/log'),
      'resolvectl dns wg0 10.66.0.1 fd66::1\nresolvectl domain wg0 corp.example ~.\nresolvectl revert wg0\n',
    );
  });

  it('go to resolvconf, with the prefix for tunnels that Debian wants', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    await client.install('resolvectl', 'echo "resolvectl $*" >> /run/log'); // nobody asks it
    await client.install('resolvconf', 'echo "resolvconf $*" >> /run/log; [[ $1 != -a ]] || cat >> /run/log');
    await client.run('mkdir', ['/etc/resolvconf']);
    await client.write('/etc/resolvconf/interface-order', '# order\nlo.inet*\ntun*\neth*\n', '644');

    await upAndDown(client);

    assert.equal(
      await client.read('/run/log'),
      'resolvconf -a tun.wg0 -m 0 -x\nnameserver 10.66.0.1\nnameserver fd66::1\nsearch corp.example\n' +
        'resolvconf -d tun.wg0 -f\n',
    );
  });

  it('go on to the next way when one fails', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    await client.install('resolvectl', 'echo "no bus" >&2; exit 1');
    await client.install('resolvconf', 'echo "signature mismatch" >&2; exit 1');
    await client.write('/etc/resolv.conf', 'nameserver 127.0.0.53\n', '644');

    const { during, stderr } = await upAndDown(client);

    assert.match(stderr, /resolvectl dns .*no bus/);
    assert.match(stderr, /resolvconf -a .*signature mismatch/);
    assert.match(during, /^nameserver 10\.66\.0\.1$/m);
  });

  it('go into resolv.conf, which keeps its options and comes back as it was', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    await client.write('/etc/resolv.conf', '# mine\nnameserver 192.0.2.53\noptions edns0 trust-ad\n', '640');

    const { during } = await upAndDown(client);

    const said = during.split('\n').filter((line) => !line.startsWith('#'));
    assert.deepEqual(said, [
      'nameserver 10.66.0.1',
      'nameserver fd66::1',
      'search corp.example',
      'options edns0 trust-ad',
      '',
    ]);
  });

  it('leave a symbolic link a link', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    await client.run('bash', [
      '-c',
      'echo "nameserver 192.0.2.53" > /run/real.conf; ln -sf ../run/real.conf /etc/resolv.conf',
    ]);

    const { during } = await upAndDown(client);

    assert.match(during, /nameserver 10\.66\.0\.1/);
    assert.equal(await client.read('/run/real.conf'), 'nameserver 192.0.2.53\n');
  });

  it('are written over a file that is a mount, as in a container', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    const script = 'echo "nameserver 192.0.2.53" > /run/host.conf; mount --bind /run/host.conf /etc/resolv.conf';
    await client.run('bash', ['-c', script]);

    const { during } = await upAndDown(client);

    assert.match(during, /nameserver 10\.66\.0\.1/);
    assert.equal(await client.read('/run/host.conf'), 'nameserver 192.0.2.53\n');
  });

  it('are made without any file before, and leave none', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    await client.run('rm', ['/etc/resolv.conf']);

    assert.equal((await client.wiretype('up', '--implementation', subject.command, 'wg0')).status, 0);
    assert.match(await client.read('/etc/resolv.conf'), /nameserver 10\.66\.0\.1/);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);

    assert.equal(await client.run('bash', ['-c', 'ls /etc | grep resolv || true']), '');
  });

  it('are a warning where nothing can be written: the tunnel is up', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    await client.run('bash', ['-c', 'mount -o remount,bind,ro /etc']);

    const { stderr, during } = await upAndDown(client);

    assert.match(stderr, /\[!\] .*resolv\.conf.*read-only/);
    assert.match(stderr, /\[!\] The name servers \(10\.66\.0\.1, fd66::1\) were not set/);
    assert.doesNotMatch(during, /10\.66/);
  });

  it('leave alone what another program has written meanwhile', { timeout: 240_000 }, async (t) => {
    const client = await openDnsClient(t);
    assert.equal((await client.wiretype('up', '--implementation', subject.command, 'wg0')).status, 0);
    await client.write('/etc/resolv.conf', 'nameserver 192.0.2.99\n', '644');

    const { status, stderr } = await client.wiretype('down', 'wg0');

    assert.equal(status, 0);
    assert.match(stderr, /changed by another program/);
    assert.equal(await client.read('/etc/resolv.conf'), 'nameserver 192.0.2.99\n');
    assert.equal(await client.run('bash', ['-c', 'ls /etc | grep before-wiretype || true']), '');
  });
});

async function openDnsClient(t: Parameters<typeof openClient>[0]): Promise<Machine> {
  const { client } = await openClient(t);
  const { privateKey } = generateKeyPair();
  const lines = ['[Interface]', `PrivateKey = ${privateKey}`, 'DNS = 10.66.0.1, corp.example', 'DNS = fd66::1', ''];
  await client.write('/etc/wireguard/wg0.conf', lines.join('\n'));
  await client.write('/etc/nsswitch.conf', 'hosts: files dns\n', '644');
  return client;
}

/** @returns resolv.conf while the tunnel was up. Before and after, the host is the same. */
async function upAndDown(client: Machine): Promise<{ during: string; stderr: string }> {
  const before = await hostState(client);
  const { status, stderr } = await client.wiretype('up', '--implementation', subject.command, 'wg0');
  assert.equal(status, 0, stderr);
  const during = await client.read('/etc/resolv.conf');

  const down = await client.wiretype('down', 'wg0');
  assert.equal(down.status, 0, down.stderr);
  assert.equal(await hostState(client), before);
  return { during, stderr };
}

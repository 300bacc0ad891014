/**
 * The daemon as a program: its start, its end, and its messages on failure.
 *
 * Topology: one host, nothing else.
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';

import { subject } from '../lab/implementation.js';
import { Lab } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import type { RunResult } from '../lab/program.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

type Context = Parameters<typeof Lab.open>[0];

describe('starting', () => {
  it('goes to the background once interface and control socket answer', { timeout: 120_000 }, async (t) => {
    const { host, wireguard } = await openHost(t);

    const { status, stdout } = await host.attempt(subject.command, [wireguard.name]);

    assert.equal(status, 0);
    assert.equal(stdout, '');
    assert.ok(await wireguard.answers(), 'the control socket answers at once');
    assert.match(await host.ip(`link show ${wireguard.name}`), /mtu 1420/);
    assert.ok((await wireguard.state()).listenPort > 0, 'a port is chosen before the link is up');
    assert.equal((await host.processIds()).length, 1);
  });

  it('keeps the control socket to its user', { timeout: 120_000 }, async (t) => {
    const { wireguard } = await openHost(t);
    await wireguard.start();

    assert.equal(statSync(wireguard.socketPath).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(wireguard.socketPath)).mode & 0o777, 0o755);
  });

  it('stays in the foreground by -f, by --foreground and by the environment', { timeout: 120_000 }, async (t) => {
    const { lab, host } = await openHost(t);
    for (const [args, env] of [
      [['-f'], {}],
      [['--foreground'], {}],
      [[], { WG_PROCESS_FOREGROUND: '1' }],
    ] as const) {
      const wireguard = new Wireguard(lab, host, subject);
      const program = host.start(subject.command, [...args, wireguard.name], { env });
      await waitFor('the control socket', async () => await wireguard.answers());
      assert.ok(program.isRunning);
      assert.equal(await program.stop(), 0);
    }
  });

  it('says its version and how it is called', { timeout: 120_000 }, async (t) => {
    const { host } = await openHost(t);

    assert.match((await host.attempt(subject.command, ['--version'])).stdout, /\d+\.\d+\.\d+/);
    const help = await host.attempt(subject.command, ['--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout + help.stderr, /INTERFACE|IFACE/);
  });
});

describe('ending', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`leaves nothing behind on ${signal}`, { timeout: 120_000 }, async (t) => {
      const { host, wireguard } = await openHost(t);
      await wireguard.start();

      assert.equal(await wireguard.daemon?.stop(signal), 0);

      await assertGone(host, wireguard);
    });
  }

  it('follows the removal of the interface', { timeout: 120_000 }, async (t) => {
    const { host, wireguard } = await openHost(t);
    await wireguard.start();

    await host.ip(`link del ${wireguard.name}`);

    assert.equal(await wireguard.daemon?.exited, 0);
    await assertGone(host, wireguard);
  });

  it('follows the removal of the control socket', { timeout: 120_000 }, async (t) => {
    const { host, wireguard } = await openHost(t);
    await wireguard.start();

    rmSync(wireguard.socketPath);

    assert.equal(await wireguard.daemon?.exited, 0);
    await assertGone(host, wireguard);
  });
});

describe('what cannot be done is said in one sentence', () => {
  it('a name that is too long, empty, or no name', { timeout: 120_000 }, async (t) => {
    const { host } = await openHost(t);
    for (const name of ['wt-sixteen-chars', '', 'a/b', '..', 'a b']) {
      assertSentence(await host.attempt(subject.command, [name]), /name/i);
    }
  });

  it('no name at all, or too many words', { timeout: 120_000 }, async (t) => {
    const { host } = await openHost(t);
    for (const args of [[], ['one', 'two'], ['--no-such-option', 'one']]) {
      const { status, stderr } = await host.attempt(subject.command, args);
      assert.notEqual(status, 0);
      assert.notEqual(stderr, '');
    }
  });

  it('a name that another interface has', { timeout: 120_000 }, async (t) => {
    const { host, wireguard } = await openHost(t);
    await host.ip(`link add ${wireguard.name} type veth peer name other`);

    assertSentence(await host.attempt(subject.command, [wireguard.name]), new RegExp(wireguard.name));

    assert.ok(!existsSync(wireguard.socketPath));
    assert.match(await host.ip(`link show ${wireguard.name}`), /other/, 'the interface is still there');
  });

  it('a second daemon on the same name', { timeout: 120_000 }, async (t) => {
    const { host, wireguard } = await openHost(t);
    await wireguard.start();

    assertSentence(await host.attempt(subject.command, ['-f', wireguard.name]), new RegExp(wireguard.name));

    assert.ok(await wireguard.answers(), 'the first goes on');
  });

  it('a second daemon on the same name in another namespace', { timeout: 120_000 }, async (t) => {
    const { lab, host, wireguard } = await openHost(t);
    await wireguard.start();
    const elsewhere = await lab.host('elsewhere');

    assertSentence(await elsewhere.attempt(subject.command, [wireguard.name]), new RegExp(wireguard.name));

    assert.doesNotMatch(await elsewhere.ip('-o link show'), new RegExp(wireguard.name));
    assert.match(await host.ip('-o link show'), new RegExp(wireguard.name));
  });

  it('no /dev/net/tun', { timeout: 120_000 }, async (t) => {
    const { host, wireguard } = await openHost(t);

    const hidden = `mount -t tmpfs none /dev/net && exec ${subject.command} ${wireguard.name}`;
    assertSentence(await host.attempt('unshare', ['-m', 'sh', '-c', hidden]), /\/dev\/net\/tun/);

    assert.ok(!existsSync(wireguard.socketPath));
  });

  it('no permission', { timeout: 120_000 }, async (t) => {
    const { host, wireguard } = await openHost(t);

    const args = ['--bounding-set=-all', '--inh-caps=-all', '--', subject.command, wireguard.name];
    assertSentence(await host.attempt('setpriv', args), /root|CAP_NET_ADMIN|permission/i);

    assert.ok(!existsSync(wireguard.socketPath));
  });

  it('a port in use, and by whom; the old port stays', { timeout: 120_000 }, async (t) => {
    const { host, wireguard } = await openHost(t);
    await wireguard.start();
    await wireguard.setKeys(wireguard.keys, 51820);
    const holder = host.start('socat', ['-u', 'UDP4-RECVFROM:51821', 'STDOUT']);
    await waitFor('the holder', async () => (await host.run('ss', ['-ulnH', 'sport = :51821'])) !== '');

    const { status, stderr } = await wireguard.attemptSet('listen-port', '51821');

    assert.notEqual(status, 0);
    assert.match(stderr, /Address already in use/);
    await wireguard.daemon?.says(/51821.*socat/s);
    assert.equal((await wireguard.state()).listenPort, 51820);
    await holder.stop();
    await wireguard.set('listen-port', '51821');
    assert.equal((await wireguard.state()).listenPort, 51821);
  });
});

async function openHost(t: Context): Promise<{ lab: Lab; host: Host; wireguard: Wireguard }> {
  const lab = Lab.open(t);
  const host = await lab.host('host');
  return { lab, host, wireguard: new Wireguard(lab, host, subject) };
}

/** Exit status 1, one sentence, and at most another sentence with advice: no stack, nothing else. */
function assertSentence({ status, stdout, stderr }: RunResult, pattern: RegExp): void {
  assert.equal(status, 1, stdout + stderr);
  assert.equal(stdout, '');
  assert.match(stderr, pattern);
  assert.ok(stderr.trimEnd().split('\n').length <= 2, stderr);
  assert.doesNotMatch(stderr, /\n\s+at |node:internal/);
}

async function assertGone(host: Host, wireguard: Wireguard): Promise<void> {
  await waitFor('the process to be gone', async () => (await host.processIds()).length === 0);
  assert.doesNotMatch(await host.ip('-o link show'), new RegExp(wireguard.name));
  assert.ok(!existsSync(wireguard.socketPath), 'the control socket is gone');
}

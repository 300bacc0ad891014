/**
 * The privileges of a running daemon, as the kernel reports them, and that it works with the capabilities of the
 * systemd unit.
 */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';

import { CHECKOUT, subject, wireguardGo } from '../lab/implementation.js';
import { Lab } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { assertPings } from '../lab/traffic.js';
import { LEFT, openTunnel, RIGHT } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const isSkipped = subject === wireguardGo && 'the privileges of our daemon';
const TIMEOUT = { timeout: 240_000 };

const CAP_NET_BIND_SERVICE = 1 << 10;
const CAP_NET_BROADCAST = 1 << 11;
const CAP_NET_ADMIN = 1 << 12;
const THREE = CAP_NET_BIND_SERVICE | CAP_NET_BROADCAST | CAP_NET_ADMIN;
const SECCOMP_FILTER = '2';

describe('the privileges of the daemon', { skip: isSkipped }, () => {
  it('are three capabilities in the background, without a way to get others', TIMEOUT, async (t) => {
    const { host, wireguard } = await start(t, {});
    const status = statusOf(await daemonId(host));

    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) assert.equal(Number(`0x${status[set]}`), THREE, set);
    assert.equal(Number(`0x${status['CapInh']}`), 0);
    assert.deepEqual([status['NoNewPrivs'], status['Seccomp']], ['1', SECCOMP_FILTER]);
    await wireguard.set('listen-port', '51');
    await wireguard.set('fwmark', '3');
  });

  it('hold for all of its threads', TIMEOUT, async (t) => {
    const { host } = await start(t, {});
    const pid = await daemonId(host);
    const { stdout } = await host.attempt('sh', [
      '-c',
      'grep -h ^Seccomp: /proc/$0/task/*/status | sort | uniq',
      `${pid}`,
    ]);
    assert.match(stdout, /^Seccomp:\s+2\n$/);
  });

  it('do not include core files, nor the memory to others of the same user', TIMEOUT, async (t) => {
    const { host } = await start(t, {});
    const pid = await daemonId(host);
    assert.match(readFileSync(`/proc/${pid}/limits`, 'latin1'), /^Max core file size +0 +0 /m);
    // A process with the same rights may look into others of its user, unless they are not dumpable.
    const rights = ['--bounding-set=-all,+net_admin,+net_bind_service,+net_broadcast', '--'];
    const other = host.start('setpriv', [...rights, 'sleep', 'infinity']);
    const open = [...rights, 'sh', '-c', 'exec 3<"$0"'];
    await waitFor('the other process', async () => {
      return (await host.attempt('setpriv', [...open, `/proc/${other.pid}/mem`])).status === 0;
    });
    const { status, stderr } = await host.attempt('setpriv', [...open, `/proc/${pid}/mem`]);
    assert.notEqual(status, 0);
    assert.match(stderr, /Permission denied/);
  });

  it('leave the filter for system calls out with WIRETYPE_SECCOMP=0', TIMEOUT, async (t) => {
    const { host } = await start(t, { WIRETYPE_SECCOMP: '0' });
    assert.equal(statusOf(await daemonId(host))['Seccomp'], '0');
  });

  it('make files for its user alone, whatever the umask', TIMEOUT, async (t) => {
    const lab = Lab.open(t);
    const host = await lab.host('host');
    const wireguard = new Wireguard(lab, host, subject);
    await host.run('sh', ['-c', 'umask 000; exec "$@"', 'sh', subject.command, wireguard.name]);
    assert.equal(statSync(wireguard.socketPath).mode & 0o777, 0o600);
    assert.equal(statusOf(await daemonId(host))['Umask'], '0077');
  });

  it('have a name that pidof and pgrep find, and the interface in the command line', TIMEOUT, async (t) => {
    const { host, wireguard } = await start(t, {});
    const pid = String(await daemonId(host));
    for (const words of [
      ['pidof', 'wiretyped'],
      ['pgrep', '-x', 'wiretyped'],
      ['pgrep', '-f', `wiretyped ${wireguard.name}`],
    ])
      assert.ok((await host.run(words[0]!, words.slice(1))).trim().split(/\s+/).includes(pid), words.join(' '));
  });

  it(
    'suffice as the unit of systemd gives them, also for an interface that moves while it is down',
    TIMEOUT,
    async (t) => {
      const [, words = ''] =
        /^CapabilityBoundingSet=(.+)$/m.exec(readFileSync(`${CHECKOUT}systemd/wiretype@.service`, 'utf8')) ?? [];
      const set = words.split(' ').map((name) => `+${name.replace('CAP_', '').toLowerCase()}`);
      const asInUnit = {
        ...subject,
        command: 'setpriv',
        words: [`--bounding-set=-all,${set.join(',')}`, '--inh-caps=-all', '--', subject.command],
      };
      const tunnel = await openTunnel(t, { left: asInUnit });
      const { lab, left, right, leftWireguard } = tunnel;
      const inside = await lab.host('inside');
      await assertPings(right, LEFT.inner4);

      await left.ip(`link set ${leftWireguard.name} down`);
      await left.ip(`link set ${leftWireguard.name} netns ${inside.namespace}`);
      await inside.ip(`link set ${leftWireguard.name} up`);
      await inside.ip(`address add ${LEFT.inner4}/24 dev ${leftWireguard.name}`);

      await assertPings(inside, RIGHT.inner4);
    },
  );
});

async function start(
  t: Parameters<typeof Lab.open>[0],
  env: Readonly<Record<string, string>>,
): Promise<{ host: Host; wireguard: Wireguard }> {
  const lab = Lab.open(t);
  const host = await lab.host('host');
  const wireguard = new Wireguard(lab, host, subject);
  await host.run(subject.command, [wireguard.name], { env });
  return { host, wireguard };
}

async function daemonId(host: Host): Promise<number> {
  return await waitFor('the daemon', async () => (await host.processIds())[0]);
}

function statusOf(pid: number): Readonly<Record<string, string>> {
  const lines = readFileSync(`/proc/${pid}/status`, 'latin1').trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s+/, 2) as [string, string]));
}

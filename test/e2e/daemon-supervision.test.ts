/**
 * A daemon of `up` that dies comes back as it was; a daemon that was stopped stays away.
 *
 * Topology: test/lab/quick-client.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { generateKeyPair } from '../lab/keys.js';
import type { Machine } from '../lab/machine.js';
import { clientConfig, hostState, openQuickClient, type QuickClient } from '../lab/quick-client.js';
import { assertPings } from '../lab/traffic.js';
import { waitFor, watchFor } from '../lab/wait.js';

const FILE = '/etc/wireguard/wg0.conf';
const TIMEOUT = { timeout: 240_000 };

describe('a daemon that is killed', () => {
  it(
    'comes back with the configuration as last applied, and its addresses, routes and rules were never gone',
    TIMEOUT,
    async (t) => {
      const quick = await openUp(t);
      const { client } = quick;
      const other = generateKeyPair().publicKey;
      await client.run('wg', ['set', 'wg0', 'fwmark', '7', 'peer', other, 'allowed-ips', '10.70.0.0/24']);
      const [shownBefore, before] = [await shown(client), await hostState(client)];

      process.kill(await daemonId(client), 'SIGKILL');
      assert.equal(withoutSockets(await hostState(client)), withoutSockets(before));
      await waitFor('the daemon', async () => (await client.attempt('wg', ['show', 'wg0'])).status === 0);

      assert.equal(await shown(client), shownBefore);
      assert.equal(await hostState(client), before);
      await assertPings(client.host, '10.66.0.1', { count: 3 });
    },
  );

  it('comes back each time, and later if it dies at once', TIMEOUT, async (t) => {
    const { client } = await openUp(t);
    for (let i = 0; i < 3; i++) {
      const pid = await daemonId(client);
      process.kill(pid, 'SIGKILL');
      await waitFor('another daemon', async () => ((await findDaemons(client))[0] ?? pid) !== pid);
    }
    await waitFor('the daemon', async () => (await client.attempt('wg', ['show', 'wg0'])).status === 0);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
    await assertAway(client);
  });

  it(
    'is missed by name in explain and show once its supervisor is gone, too, and down clears up',
    TIMEOUT,
    async (t) => {
      const { client } = await openUp(t);
      for (const pid of await client.host.processIds())
        if (/wiretype/.test(commandOf(pid))) process.kill(pid, 'SIGKILL');
      await waitFor('the interface to go', async () => !(await links(client)).includes('wg0'));

      for (const words of [
        ['explain', 'wg0'],
        ['show', 'wg0'],
      ]) {
        const { status, stderr } = await client.wiretype(...words);
        assert.equal(status, 1);
        assert.match(stderr, /wg0: .*its daemon has ended.*\n.*wiretype down INTERFACE && wiretype up INTERFACE/);
      }
      assert.equal((await client.wiretype('down', 'wg0')).status, 0);
      assert.equal((await client.wiretype('up', 'wg0')).status, 0);
    },
  );

  it('is taken down also while it is away', TIMEOUT, async (t) => {
    const { client } = await openUp(t);
    const supervisor = await supervisorId(client);
    process.kill(supervisor, 'SIGSTOP');
    process.kill(await daemonId(client), 'SIGKILL');

    const { status, stderr } = await client.wiretype('down', 'wg0');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /the daemon of wg0 has ended: clearing up after it/);
    process.kill(supervisor, 'SIGCONT');
    await assertAway(client);
  });

  it('stays away when its interface is deleted meanwhile', TIMEOUT, async (t) => {
    const { client } = await openUp(t);
    const [supervisor] = (await client.host.processIds()).filter((pid) => /supervisor/.test(commandOf(pid)));
    process.kill(supervisor!, 'SIGSTOP');
    process.kill(await daemonId(client), 'SIGKILL');
    await client.host.ip('link delete wg0');
    process.kill(supervisor!, 'SIGCONT');
    await assertAway(client);
  });
});

describe('a daemon that was asked to end', () => {
  for (const [title, end] of [
    ['by SIGTERM', async (client: Machine) => process.kill(await daemonId(client), 'SIGTERM')],
    ['by SIGTERM to its supervisor', async (client: Machine) => process.kill(await supervisorId(client), 'SIGTERM')],
    ['with its interface', async (client: Machine) => await client.host.ip('link delete wg0')],
    ['with its control socket', async (client: Machine) => await client.run('rm', ['/run/wireguard/wg0.sock'])],
    ['by down', async (client: Machine) => await client.wiretype('down', 'wg0')],
  ] as const)
    it(`stays away: ${title}`, TIMEOUT, async (t) => {
      const { client } = await openUp(t);
      await end(client);
      await assertAway(client);
    });
});

async function openUp(t: Parameters<typeof openQuickClient>[0]): Promise<QuickClient> {
  const quick = await openQuickClient(t);
  const lines = {
    interface: ['Address = 10.66.0.2/24', 'PostUp = ip route add 10.80.0.0/16 dev %i'],
    peer: ['AllowedIPs = 10.66.0.0/24, 198.51.100.7/32', 'PersistentKeepalive = 5'],
  };
  await quick.client.write(FILE, clientConfig(quick, lines));
  const { status, stderr } = await quick.client.wiretype('up', 'wg0');
  assert.equal(status, 0, stderr);
  return quick;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function isDaemon(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1') === 'wiretyped\n';
  } catch {
    return false;
  }
}

async function findDaemons(client: Machine): Promise<number[]> {
  return (await client.host.processIds()).filter((pid) => isDaemon(pid) && /^wiretyped wg0/.test(commandOf(pid)));
}

async function daemonId(client: Machine): Promise<number> {
  return await waitFor('the daemon', async () => (await findDaemons(client))[0]);
}

async function supervisorId(client: Machine): Promise<number> {
  return (await client.host.processIds()).find((pid) => /wiretype-supervisor/.test(commandOf(pid)))!;
}

async function shown(client: Machine): Promise<string> {
  const text = await client.run('wg', ['showconf', 'wg0']);
  return text;
}

async function links(client: Machine): Promise<string> {
  return await client.host.ip('-o link show');
}

function withoutSockets(state: string): string {
  return state.slice(0, state.indexOf('\nsockets'));
}

/** Longer than the supervisor takes to start a daemon anew. */
async function assertAway(client: Machine): Promise<void> {
  await waitFor('all processes to end', async () => {
    const pids = await client.host.processIds();
    return !pids.some((pid) => /wiretype/.test(commandOf(pid)));
  });
  await watchFor(1_500);
  assert.deepEqual(await findDaemons(client), []);
  assert.ok(!(await links(client)).includes('wg0'));
}

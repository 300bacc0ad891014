/**
 * Trouble on the way: lost datagrams, and daemons that die.
 *
 * Topology: `test/lab/two-hosts.ts`.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';

import { loseDatagrams } from '../lab/lab.js';
import { assertArrivesWhole, assertPings } from '../lab/traffic.js';
import { introduce, LEFT, openTunnel, PORT, RIGHT, type Tunnel } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import type { Wireguard } from '../lab/wireguard.js';

describe('5 % loss each way', { concurrency: 2 }, () => {
  it('leaves what goes through TCP whole', { timeout: 600_000 }, async (t) => {
    const { lab, left, right } = await openTunnel(t);
    await loseDatagrams(left, 5);
    await loseDatagrams(right, 5);

    await assertArrivesWhole(lab, left, right, RIGHT.inner4, 4_000_000);
    await assertArrivesWhole(lab, right, left, LEFT.inner6, 4_000_000);

    assert.doesNotMatch(await right.run('nft', ['list', 'ruleset']), /counter packets 0 /);
  });
});

describe('a daemon that is killed', { concurrency: 3 }, () => {
  it('leaves a socket file that the next one replaces, and is connected at once when it speaks first', {
    timeout: 240_000,
  }, async (t) => {
    const tunnel = await openTunnel(t);
    await assertPings(tunnel.right, LEFT.inner4);

    await killAndRestart(tunnel, tunnel.leftWireguard);

    await assertPings(tunnel.left, RIGHT.inner4, { count: 5 });
    await assertPings(tunnel.right, LEFT.inner6);
  });

  it('is reached again by the side that noticed nothing', { timeout: 240_000 }, async (t) => {
    const tunnel = await openTunnel(t);
    const { left, leftWireguard } = tunnel;
    await assertPings(left, RIGHT.inner4);
    const handshake = (await leftWireguard.peer()).latestHandshake;

    await killAndRestart(tunnel, tunnel.rightWireguard);
    // KEEPALIVE_TIMEOUT + REKEY_TIMEOUT after the first data that stayed unanswered (§6.5), and the jitter.
    const traffic = left.start('ping', ['-q', '-i', '0.5', RIGHT.inner4]);
    await waitFor('a new handshake', async () => (await leftWireguard.peer()).latestHandshake > handshake);
    await traffic.stop();

    await assertPings(left, RIGHT.inner4);
  });
});

/** SIGKILL, then a new process with the same configuration. */
async function killAndRestart({ left, leftWireguard, rightWireguard }: Tunnel, victim: Wireguard): Promise<void> {
  victim.daemon?.signal('SIGKILL');
  await victim.daemon?.exited;
  assert.ok(existsSync(victim.socketPath), 'the socket file of a killed daemon stays');
  await victim.start();
  await victim.setKeys(victim.keys, PORT);
  await introduce(leftWireguard, rightWireguard);
  const own = victim.host === left ? LEFT : RIGHT;
  await victim.up([`${own.inner4}/24`, `${own.inner6}/64`]);
}

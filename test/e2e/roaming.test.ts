/**
 * A peer that changes its address or port stays connected: each side takes the endpoint from the last authenticated
 * message (whitepaper §2.1).
 *
 * Topology: `test/lab/two-hosts.ts`.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addAddress } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { assertPings } from '../lab/traffic.js';
import { LEFT, openTunnel, PORT, RIGHT, type Tunnel } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import type { Wireguard } from '../lab/wireguard.js';

const NEW_ADDRESS = {
  4: { left: '10.0.0.11', right: '10.0.0.12' },
  6: { left: 'fd00:aa::11', right: 'fd00:aa::12' },
} as const;

describe('roaming under traffic', () => {
  for (const outer of [4, 6] as const) {
    const { left: newLeft, right: newRight } = NEW_ADDRESS[outer];

    it(`follows both sides to new IPv${outer} addresses and ports`, { timeout: 240_000 }, async (t) => {
      const tunnel = await openTunnel(t, { outer, endpointsAt: 'left' });
      const { left, right, leftWireguard, rightWireguard } = tunnel;
      await assertPings(left, RIGHT.inner4);
      const handshake = (await leftWireguard.peer()).latestHandshake;
      const traffic = left.start('ping', ['-n', '-q', '-i', '0.1', RIGHT.inner4]);
      const traffic6 = right.start('ping', ['-n', '-q', '-i', '0.1', LEFT.inner6]);

      await moveAddress(left, outer === 4 ? LEFT.outer4 : LEFT.outer6, newLeft);
      await becomesEndpoint(rightWireguard, newLeft, PORT);
      await moveAddress(right, outer === 4 ? RIGHT.outer4 : RIGHT.outer6, newRight);
      await becomesEndpoint(leftWireguard, newRight, PORT);
      await leftWireguard.set('listen-port', '50001');
      await becomesEndpoint(rightWireguard, newLeft, 50001);
      await rightWireguard.set('listen-port', '50002');
      await becomesEndpoint(leftWireguard, newRight, 50002);

      await assertFlows(tunnel);
      assert.ok(traffic.isRunning && traffic6.isRunning);
      assert.equal((await leftWireguard.peer()).latestHandshake, handshake, 'the session is still the first');
    });
  }

  it('follows a peer from IPv4 to IPv6 and back', { timeout: 240_000 }, async (t) => {
    const { left, right, leftWireguard, rightWireguard } = await openTunnel(t, { endpointsAt: 'left' });
    await assertPings(left, RIGHT.inner4);

    for (const [endpoint, seen] of [
      [`[${RIGHT.outer6}]:${PORT}`, LEFT.outer6],
      [`${RIGHT.outer4}:${PORT}`, LEFT.outer4],
    ] as const) {
      await leftWireguard.setPeer({ publicKey: rightWireguard.publicKey, endpoint });
      await assertPings(left, RIGHT.inner4);
      await becomesEndpoint(rightWireguard, seen, PORT);
      await assertPings(right, LEFT.inner6);
    }
  });
});

async function moveAddress(host: Host, from: string, to: string): Promise<void> {
  const bits = to.includes(':') ? 64 : 24;
  await addAddress(host, 'eth0', `${to}/${bits}`);
  await host.ip(`addr del ${from}/${bits} dev eth0`);
}

async function becomesEndpoint(observer: Wireguard, address: string, port: number): Promise<void> {
  const expected = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  await waitFor(`${observer.name} to see ${expected}`, async () => (await observer.peer()).endpoint === expected);
}

async function assertFlows({ left, right }: Tunnel): Promise<void> {
  await assertPings(left, RIGHT.inner6);
  await assertPings(right, LEFT.inner4);
}

/**
 * The interface moves to another network namespace; the datagrams stay in the one where the daemon was started.
 *
 * ```text
 *   inside                     birth                                 right
 *   (nothing but               eth0 10.0.0.1/24  ══════ cable ═════  10.0.0.2/24 eth0
 *    lo and wg)  ◀── wg ──     daemon, UDP sockets                   wg 192.168.241.2
 * ```
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture } from '../lab/capture.js';
import type { Host } from '../lab/namespace.js';
import { assertNoPing, assertPings, transfer } from '../lab/traffic.js';
import { LEFT, openTunnel, PORT, RIGHT, type Tunnel } from '../lab/two-hosts.js';

/** One more than a multiple of 16, so that the padding shows which MTU the daemon knows of. */
const ODD_MTU = 1_281;

describe('an interface in another namespace than its daemon', () => {
  it('is born in one and lives in the other', { timeout: 240_000 }, async (t) => {
    const { inside, tunnel } = await moveInside(t, await openTunnel(t));

    await assertPings(inside, RIGHT.inner4);
    await assertPings(tunnel.right, LEFT.inner6);
    const { arrivedBytes } = await transfer(inside, tunnel.right, RIGHT.inner6, { bytes: 8_000_000 });

    assert.ok(arrivedBytes > 4_000_000);
    await assertNoPing(inside, RIGHT.outer4, { count: 1 });
  });

  it('keeps its session when it moves under traffic', { timeout: 240_000 }, async (t) => {
    const open = await openTunnel(t);
    await assertPings(open.left, RIGHT.inner4);
    const handshake = (await open.rightWireguard.peer()).latestHandshake;

    const { inside, tunnel } = await moveInside(t, open);
    await assertPings(inside, RIGHT.inner4);
    await assertPings(tunnel.right, LEFT.inner4);

    // The kernel takes the link down for the move: a new session is right, and the old one may go.
    assert.ok((await tunnel.rightWireguard.peer()).latestHandshake >= handshake);
  });

  it('sees the link go down and up after the move', { timeout: 240_000 }, async (t) => {
    const { inside, tunnel } = await moveInside(t, await openTunnel(t));
    const { right, leftWireguard } = tunnel;
    await assertPings(inside, RIGHT.inner4);

    await inside.ip(`link set ${leftWireguard.name} down`);
    await assertNoPing(right, LEFT.inner4, { count: 2 });
    await inside.ip(`link set ${leftWireguard.name} up`);

    await assertPings(inside, RIGHT.inner4);
  });

  it('sees a change of the MTU after the move', { timeout: 240_000 }, async (t) => {
    const { inside, tunnel } = await moveInside(t, await openTunnel(t));
    const { lab, right, leftWireguard } = tunnel;
    await assertPings(inside, RIGHT.inner4);

    await inside.ip(`link set ${leftWireguard.name} mtu ${ODD_MTU}`);
    const capture = await Capture.start(lab, right, 'eth0', `udp dst port ${PORT} and dst host ${RIGHT.outer4}`);
    await assertPings(inside, RIGHT.inner4, { count: 1, size: ODD_MTU - 28 });

    const lengths = (await capture.stop()).map(({ udp }) => udp?.payload.length);
    assert.deepEqual(lengths, [ODD_MTU + 32], 'padded no further than the MTU (whitepaper §5.4.6)');
  });

  it('ends the daemon when the namespace around it is removed', { timeout: 240_000 }, async (t) => {
    const { inside, tunnel } = await moveInside(t, await openTunnel(t));
    await assertPings(inside, RIGHT.inner4);

    await inside.remove();

    assert.equal(await tunnel.leftWireguard.daemon?.exited, 0);
  });
});

async function moveInside(
  _t: Parameters<typeof openTunnel>[0],
  tunnel: Tunnel,
): Promise<{ inside: Host; tunnel: Tunnel }> {
  const { lab, left, leftWireguard } = tunnel;
  const inside = await lab.host('inside');
  await left.ip(`link set ${leftWireguard.name} netns ${inside.namespace}`);
  leftWireguard.host = inside;
  await leftWireguard.up([`${LEFT.inner4}/24`, `${LEFT.inner6}/64`]);
  return { inside, tunnel };
}

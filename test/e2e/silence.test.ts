/**
 * Nothing is sent that nobody needs, and strangers get no answer (whitepaper §5.1, §6).
 *
 * Topology: `test/lab/two-hosts.ts`, with an observer on right's end of the cable.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture, messageTypes, type SeenPacket } from '../lab/capture.js';
import { CHECKOUT, subject } from '../lab/implementation.js';
import { addAddress } from '../lab/lab.js';
import { assertPings } from '../lab/traffic.js';
import { connectTwoHosts, LEFT, openTunnel, outerEndpoint, PORT, RIGHT } from '../lab/two-hosts.js';
import { waitFor, watchFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const KEEPALIVE_BYTES = 32;
/** Longer than every timer of an idle tunnel: 10 s keepalive, 15 s new handshake, jitter. */
const IDLE_MS = 17_000;
/** Longer than the persistent keepalive of one second that is set, and a handshake's retry. */
const SHORT_MS = 6_500;
/** So seldom that what is seen is not the next of them. */
const RARE_KEEPALIVE_SECONDS = 3_600;

describe('silence', { concurrency: 4 }, () => {
  it('follows the last keepalive of an idle tunnel', { timeout: 240_000 }, async (t) => {
    const { lab, left, right } = await openTunnel(t);
    const capture = await Capture.start(lab, right, 'eth0', `udp port ${PORT}`);
    await assertPings(left, RIGHT.inner4);
    await waitFor('the keepalive', () => capture.packets().some(isKeepalive));
    const spoken = (await capture.allPackets()).length;

    await watchFor(IDLE_MS);

    assert.equal((await capture.stop()).length, spoken);
  });

  it('lasts for as long as a configured tunnel is not used', { timeout: 240_000 }, async (t) => {
    const { lab, right } = await openTunnel(t);
    const capture = await Capture.start(lab, right, 'eth0', `udp port ${PORT}`);

    await watchFor(SHORT_MS);

    assert.deepEqual(messageTypes(await capture.stop()), []);
  });

  it('lasts while the link is down, and the keepalive comes with the link', { timeout: 240_000 }, async (t) => {
    const { lab, left, right } = await connectTwoHosts(t);
    const capture = await Capture.start(lab, right, 'eth0', `udp port ${PORT}`);
    const wireguard = await Wireguard.create(lab, left, subject, PORT);
    await wireguard.setPeer(eagerPeer());

    await watchFor(SHORT_MS);
    assert.deepEqual(messageTypes(await capture.allPackets()), [], 'while the link is down');
    await wireguard.setPeer({ ...eagerPeer(), keepalive: RARE_KEEPALIVE_SECONDS });
    await wireguard.up([`${LEFT.inner4}/24`]);
    await waitFor('the handshake', () => messageTypes(capture.packets()).includes(1));
    await wireguard.setPeer(eagerPeer());
    await left.ip(`link set ${wireguard.name} down`);
    const spoken = (await capture.allPackets()).length;
    await watchFor(SHORT_MS);
    assert.equal((await capture.stop()).length, spoken, 'while the link is down again');
  });

  it('lasts until there is a private key, and the keepalive comes with it', { timeout: 240_000 }, async (t) => {
    const { lab, left, right } = await connectTwoHosts(t);
    const capture = await Capture.start(lab, right, 'eth0', `udp port ${PORT}`);
    const wireguard = new Wireguard(lab, left, subject);
    await wireguard.start();
    await wireguard.set('listen-port', String(PORT));
    await wireguard.setPeer(eagerPeer());
    await wireguard.up([`${LEFT.inner4}/24`]);

    await watchFor(SHORT_MS);
    assert.deepEqual(messageTypes(await capture.allPackets()), [], 'without a key');
    await wireguard.setPeer({ ...eagerPeer(), keepalive: RARE_KEEPALIVE_SECONDS });
    await wireguard.setKeys(wireguard.keys);
    await waitFor('the handshake', () => messageTypes(capture.packets()).includes(1));
  });

  it('is the answer to every stranger, and costs no session', { timeout: 240_000 }, async (t) => {
    const { lab, left, right, leftWireguard } = await openTunnel(t);
    const capture = await Capture.start(lab, right, 'eth0', `udp port ${PORT}`);
    await assertPings(left, RIGHT.inner4);
    const before = await leftWireguard.peer();
    await addAddress(right, 'eth0', '10.0.0.66/24');

    // Anything an attacker can make or has seen, from another address and port than the peer's.
    await right.run('node', [strangerProgram(), capture.path, '10.0.0.66', LEFT.outer4, String(PORT)], {
      timeoutMs: 200_000,
    });

    const answers = (await capture.stop()).filter(({ destination }) => destination === '10.0.0.66');
    assert.deepEqual(messageTypes(answers), []);
    const after = await leftWireguard.peer();
    assert.equal(after.endpoint, before.endpoint, 'a replay does not roam');
    assert.equal(after.latestHandshake, before.latestHandshake);
    assert.equal(after.rxBytes, before.rxBytes, 'nothing was taken for authentic');
    await assertPings(left, RIGHT.inner4);
    await assertPings(right, LEFT.inner6);
  });
});

function isKeepalive({ udp }: SeenPacket): boolean {
  return udp?.payload.length === KEEPALIVE_BYTES;
}

/** A peer that is not there, with everything set that makes a device speak by itself. */
function eagerPeer(): Parameters<Wireguard['setPeer']>[0] {
  return {
    publicKey: 'KC7a8w0VJ6ocSWDWkDs7NZI9lqOBsQdVv4bUOaUrNQU=',
    allowedIps: `${RIGHT.inner4}/32`,
    endpoint: outerEndpoint(RIGHT, 4),
    keepalive: 1,
  };
}

function strangerProgram(): string {
  return `${CHECKOUT}dist/test/lab/stranger.js`;
}

/**
 * A flood of handshake initiations that are right up to their first MAC (whitepaper §5.3).
 *
 * Topology: `test/lab/two-hosts.ts`; the stranger is right's third address, 10.0.0.66, and a second peer is right's port 51830.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture, messageTypes } from '../lab/capture.js';
import { CHECKOUT, subject } from '../lab/implementation.js';
import { addAddress, type Lab } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { PingStream } from '../lab/ping-stream.js';
import { pingUntilAnswered } from '../lab/traffic.js';
import { LEFT, openTunnel, PORT, RIGHT } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const STRANGER = '10.0.0.66';
/** Longer than the test. A newcomer gets a cookie at first, and REKEY_TIMEOUT later sends an initiation with it (whitepaper §5.4.7). */
const FLOOD_SECONDS = 240;
const INITIATIONS_PER_SECOND = 10_000;
const COOKIE_REPLY = 3;
const REKEY_AFTER_SECONDS = 120;
/** So many pings have to be answered. A slow machine may lose others: what the flood leaves no room for. */
const ANSWERS = 50;

describe('under a flood of initiations', () => {
  it('sessions go on, peers can connect, and the stranger gets cookies at most', { timeout: 400_000 }, async (t) => {
    const { lab, left, right, leftWireguard, rightWireguard } = await openTunnel(t);
    await pingUntilAnswered(right, LEFT.inner4);
    const handshake = (await leftWireguard.peer()).latestHandshake;
    await addAddress(right, 'eth0', `${STRANGER}/24`);
    const newcomer = await introduceNewcomer(lab, right, leftWireguard);
    const capture = await Capture.start(lab, right, 'eth0', `dst host ${STRANGER} and src host ${LEFT.outer4}`);

    const words = [leftWireguard.publicKey, STRANGER, LEFT.outer4, PORT, FLOOD_SECONDS, INITIATIONS_PER_SECOND];
    const flood = right.start('node', [`${CHECKOUT}dist/test/lab/flood.js`, ...words.map(String)]);
    await waitFor('a cookie reply', () => messageTypes(capture.packets()).includes(COOKIE_REPLY));
    const traffic = PingStream.start(left, RIGHT.inner4);
    await newcomer.up(['192.168.242.2/32']);
    await newcomer.set('peer', leftWireguard.publicKey, 'persistent-keepalive', '1');
    await waitFor('the newcomer to connect', async () => (await newcomer.peer()).latestHandshake > 0);
    await waitFor('pings to be answered', () => traffic.answerCount >= ANSWERS);
    assert.equal(await flood.stop(), 143, 'the flood was still on');

    const { latestHandshake } = await leftWireguard.peer(rightWireguard.publicKey);
    assert.ok(
      latestHandshake === handshake || latestHandshake - handshake >= REKEY_AFTER_SECONDS,
      'the session goes on',
    );
    assert.deepEqual(new Set(messageTypes(await capture.stop())), new Set([COOKIE_REPLY]));
    const { rx, tx } = await linkBytes(left);
    assert.ok(tx < rx, `${tx} bytes went out, ${rx} came in`);
  });
});

async function linkBytes(host: Host): Promise<{ rx: number; tx: number }> {
  const [link] = JSON.parse(await host.ip('-j -s link show dev eth0'));
  return { rx: link.stats64.rx.bytes, tx: link.stats64.tx.bytes };
}

/** A peer that left knows and has never spoken to. Its link is down. */
async function introduceNewcomer(lab: Lab, host: Host, left: Wireguard): Promise<Wireguard> {
  const newcomer = await Wireguard.create(lab, host, subject, 51830);
  await left.setPeer({ publicKey: newcomer.publicKey, allowedIps: '192.168.242.2/32' });
  await newcomer.setPeer({
    publicKey: left.publicKey,
    allowedIps: `${LEFT.inner4}/32`,
    endpoint: `${LEFT.outer4}:${PORT}`,
  });
  return newcomer;
}

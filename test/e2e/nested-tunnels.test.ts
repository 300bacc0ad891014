/**
 * Tunnels in tunnels, and tunnels that would run into themselves.
 *
 * Tunnel in a tunnel: `test/lab/two-hosts.ts`, with a second pair of interfaces whose endpoints are the inner addresses.
 *
 * Onion: the first host wraps a packet for the third into one for the second; each host knows its neighbours only.
 *
 * ```text
 *   first ═══ 10.0.1.0/24 ═══ second ═══ 10.0.2.0/24 ═══ third ═══ 10.0.3.0/24 ═══ fourth
 *   layer 1   10.61.0.1 ─ ─ ─ 10.61.0.2  (forwards)
 *   layer 2   10.62.0.1 ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─  10.62.0.2 (forwards)
 *   layer 3   10.63.0.1 ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─  10.63.0.2
 * ```
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture } from '../lab/capture.js';
import { subject, wireguardGo } from '../lab/implementation.js';
import { addAddresses, Lab } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { assertPings, ping, transfer } from '../lab/traffic.js';
import { LEFT, openTunnel, PORT, RIGHT } from '../lab/two-hosts.js';
import { Wireguard } from '../lab/wireguard.js';

const MTU = 1_420;
/** IPv4 20, UDP 8, transport data 32, and room for IPv6. */
const OVERHEAD_BYTES = 80;
/** More than all handshakes of a test take, and far less than a loop. */
const HANDSHAKE_BYTES = 20_000;

describe('tunnels in tunnels', () => {
  it('runs a tunnel inside a tunnel between the same two hosts', { timeout: 240_000 }, async (t) => {
    const { lab, left, right } = await openTunnel(t);
    const inside: Wireguard[] = [];
    for (const host of [left, right]) inside.push(await Wireguard.create(lab, host, subject, 51900));
    const [insideLeft, insideRight] = inside;
    await insideLeft.setPeer({
      publicKey: insideRight.publicKey,
      allowedIps: '10.60.0.2/32,fd00:60::2/128',
      endpoint: `${RIGHT.inner4}:51900`,
    });
    await insideRight.setPeer({
      publicKey: insideLeft.publicKey,
      allowedIps: '10.60.0.1/32,fd00:60::1/128',
      endpoint: `[${LEFT.inner6}]:51900`,
    });
    await insideLeft.up(['10.60.0.1/24', 'fd00:60::1/64'], MTU - OVERHEAD_BYTES);
    await insideRight.up(['10.60.0.2/24', 'fd00:60::2/64'], MTU - OVERHEAD_BYTES);

    await assertPings(left, '10.60.0.2');
    await assertPings(right, 'fd00:60::1', { size: 3_000 });
    const { arrivedBytes } = await transfer(left, right, '10.60.0.2', { bytes: 8_000_000 });
    assert.ok(arrivedBytes > 4_000_000);
  });

  it('carries the tunnel to one peer inside the tunnel to another, on one interface', {
    timeout: 240_000,
  }, async (t) => {
    const { lab, hosts } = await openChain(t);
    const [first, second, third] = hosts;
    const [near, middle, far] = [
      await Wireguard.create(lab, first, subject),
      await Wireguard.create(lab, second, subject),
      await Wireguard.create(lab, third, subject),
    ];
    await near.setPeer({ publicKey: middle.publicKey, allowedIps: '10.0.2.0/24', endpoint: `10.0.1.2:${PORT}` });
    await near.setPeer({ publicKey: far.publicKey, allowedIps: '10.61.0.3/32', endpoint: `10.0.2.3:${PORT}` });
    await middle.setPeer({ publicKey: near.publicKey, allowedIps: '10.61.0.1/32' });
    await far.setPeer({ publicKey: near.publicKey, allowedIps: '10.61.0.1/32' });
    await near.up(['10.61.0.1/24'], MTU - OVERHEAD_BYTES);
    await middle.up(['10.61.0.2/24']);
    await far.up(['10.61.0.3/24'], MTU - OVERHEAD_BYTES);
    await first.ip(`route add 10.0.2.0/24 dev ${near.name} src 10.61.0.1`);
    await masquerade(second, '10.61.0.1');

    await assertPings(first, '10.61.0.3');
    await assertPings(third, '10.61.0.1');
    const { arrivedBytes } = await transfer(first, third, '10.61.0.3', { bytes: 8_000_000 });

    assert.ok(arrivedBytes > 4_000_000);
    assert.equal((await far.peer()).endpoint, `10.0.2.2:${PORT}`);
  });

  it('routes in three layers, each host knowing its neighbours only', { timeout: 240_000 }, async (t) => {
    const { lab, hosts } = await openChain(t);
    const [first, second, third, fourth] = hosts;
    await joinLayer(lab, { number: 1, at: second, carrier: '10.0.1.2', from: first, reaches: '10.0.2.0/24' });
    await joinLayer(lab, { number: 2, at: third, carrier: '10.0.2.3', from: first, reaches: '10.0.3.0/24' });
    await joinLayer(lab, { number: 3, at: fourth, carrier: '10.0.3.4', from: first, reaches: '10.0.4.0/24' });
    const onWire = await Capture.start(lab, first, 'right', 'ip');

    await assertPings(first, '10.63.0.2');
    await assertPings(fourth, '10.63.0.1', { size: 1_000 });
    const { arrivedBytes } = await transfer(first, fourth, '10.63.0.2', { bytes: 4_000_000 });

    assert.ok(arrivedBytes > 2_000_000);
    const ends = new Set((await onWire.stop()).flatMap(({ source, destination }) => [source, destination]));
    assert.deepEqual([...ends].sort(), ['10.0.1.1', '10.0.1.2'], 'nothing else is seen on the first cable');
  });
});

describe('a routing loop', () => {
  for (const [why, right] of [
    ['to wiretype', subject],
    ['to wireguard-go', wireguardGo],
  ] as const) {
    it(`of an endpoint inside its own tunnel does not amplify (${why})`, { timeout: 240_000 }, async (t) => {
      const tunnel = await openTunnel(t, { right });
      const { left, leftWireguard, rightWireguard } = tunnel;
      await assertPings(left, RIGHT.inner4);
      const before = await bytesIntoTunnel(left, leftWireguard);

      await leftWireguard.setPeer({ publicKey: rightWireguard.publicKey, allowedIps: '0.0.0.0/0' });
      await left.ip(`route add ${RIGHT.outer4}/32 dev ${leftWireguard.name}`);
      await ping(left, RIGHT.inner4, { count: 10 });
      const looped = (await bytesIntoTunnel(left, leftWireguard)) - before;

      // Ten pings of 84 bytes, and each once more in an outer datagram of 156; and some handshakes.
      assert.ok(looped < 10 * (84 + 156) + HANDSHAKE_BYTES, `${looped} bytes went into the tunnel`);
      await left.ip(`route del ${RIGHT.outer4}/32 dev ${leftWireguard.name}`);
      await assertPings(left, RIGHT.inner4);
    });
  }

  it('of two peers, each on the way to the other, does not amplify', { timeout: 240_000 }, async (t) => {
    const { lab, left, right, leftWireguard, rightWireguard } = await openTunnel(t);
    const second = await Wireguard.create(lab, right, subject, 51830);
    await leftWireguard.setPeer({
      publicKey: second.publicKey,
      allowedIps: '192.168.242.2/32',
      endpoint: `${RIGHT.outer4}:51830`,
    });
    await second.setPeer({ publicKey: leftWireguard.publicKey, allowedIps: '0.0.0.0/0' });
    await second.up(['192.168.242.2/32']);
    await left.ip(`route add 192.168.242.2/32 dev ${leftWireguard.name}`);
    await ping(left, '192.168.242.2', { count: 1 });
    await assertPings(left, RIGHT.inner4);
    const before = await bytesIntoTunnel(left, leftWireguard);

    const [one, other] = [rightWireguard.publicKey, second.publicKey];
    await leftWireguard.setPeer({ publicKey: one, allowedIps: '10.71.0.0/24', endpoint: '10.72.0.1:51820' });
    await leftWireguard.setPeer({ publicKey: other, allowedIps: '10.72.0.0/24', endpoint: '10.71.0.1:51830' });
    await left.ip(`route add 10.71.0.0/24 dev ${leftWireguard.name}`);
    await left.ip(`route add 10.72.0.0/24 dev ${leftWireguard.name}`);
    await ping(left, '10.71.0.9', { count: 10 });

    const looped = (await bytesIntoTunnel(left, leftWireguard)) - before;
    // Each ping once as itself and once in each of the two tunnels; and some handshakes.
    assert.ok(looped < 10 * (84 + 156 + 220) + HANDSHAKE_BYTES, `${looped} bytes went into the tunnel`);
  });
});

/** Four hosts in a row. Only neighbours know of each other: there are no routes. */
async function openChain(t: Parameters<typeof Lab.open>[0]): Promise<{ lab: Lab; hosts: [Host, Host, Host, Host] }> {
  const lab = Lab.open(t);
  const hosts: Host[] = [];
  for (const title of ['first', 'second', 'third', 'fourth']) hosts.push(await lab.host(title));
  for (let at = 1; at < hosts.length; at++) {
    await lab.cable([hosts[at - 1], 'right'], [hosts[at], 'left']);
    await addAddresses([hosts[at - 1], 'right', `10.0.${at}.${at}/24`], [hosts[at], 'left', `10.0.${at}.${at + 1}/24`]);
  }
  await Promise.all(hosts.slice(1, 3).map((host) => host.forwards()));
  return { lab, hosts: hosts as [Host, Host, Host, Host] };
}

interface Layer {
  readonly number: number;
  readonly from: Host;
  readonly at: Host;
  /** The address of `at` that the layer's datagrams go to. */
  readonly carrier: string;
  /** The allowed IPs of the layer, besides its own two addresses. */
  readonly reaches: string;
}

/** One more layer of the onion: a pair of interfaces on the first host and on the one that takes the layer off. */
async function joinLayer(lab: Lab, { number, from, at, carrier, reaches }: Layer): Promise<void> {
  const port = PORT + number;
  const mtu = MTU - (number - 1) * OVERHEAD_BYTES;
  const [near, far] = [`10.6${number}.0.1`, `10.6${number}.0.2`];
  const outside = await Wireguard.create(lab, from, subject, port);
  const inside = await Wireguard.create(lab, at, subject, port);
  await outside.setPeer({
    publicKey: inside.publicKey,
    allowedIps: `${far}/32,${reaches}`,
    endpoint: `${carrier}:${port}`,
  });
  await inside.setPeer({ publicKey: outside.publicKey, allowedIps: `${near}/32` });
  await outside.up([`${near}/24`], mtu);
  await inside.up([`${far}/24`], mtu);
  await from.ip(`route add ${reaches} dev ${outside.name}`);
  await masquerade(at, near);
}

/** The next host answers to this host's own address, which it has a route to. */
async function masquerade(host: Host, source: string): Promise<void> {
  await host.nft(`table ip layer {
    chain postrouting { type nat hook postrouting priority srcnat; ip saddr ${source} oifname "right" masquerade; }
  }`);
}

/** Bytes that the kernel handed to the daemon. */
async function bytesIntoTunnel(host: Host, { name }: Wireguard): Promise<number> {
  const [link] = JSON.parse(await host.ip(`-j -s link show dev ${name}`));
  return link.stats64.tx.bytes;
}

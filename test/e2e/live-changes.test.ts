/**
 * A running tunnel is reconfigured by stock `wg` and `ip`, and goes on.
 *
 * Topology: `test/lab/two-hosts.ts`.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { generateKeyPair, generatePresharedKey } from '../lab/keys.js';
import { PingStream } from '../lab/ping-stream.js';
import { run } from '../lab/program.js';
import { assertNoPing, assertPings } from '../lab/traffic.js';
import { LEFT, openTunnel, PORT, RIGHT, type Tunnel } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import type { Wireguard } from '../lab/wireguard.js';

describe('changes of a live tunnel', () => {
  it('takes every field that wg can set, one at a time', { timeout: 240_000 }, async (t) => {
    const tunnel = await openTunnel(t);
    const { left, leftWireguard, rightWireguard } = tunnel;
    await assertPings(left, RIGHT.inner4);
    const peer = rightWireguard.publicKey;
    const presharedKey = generatePresharedKey();

    await leftWireguard.set('fwmark', '0x1234');
    await leftWireguard.set('listen-port', '51999');
    await leftWireguard.setPeer({ publicKey: peer, presharedKey });
    await leftWireguard.set('peer', peer, 'persistent-keepalive', '25');
    await leftWireguard.set('peer', peer, 'endpoint', `[${RIGHT.outer6}]:${PORT}`);
    await leftWireguard.set('peer', peer, 'allowed-ips', `${RIGHT.inner4}/32,${RIGHT.inner6}/128,192.0.2.0/24`);

    const state = await leftWireguard.state();
    assert.equal(state.privateKey, leftWireguard.keys.privateKey);
    assert.equal(state.fwmark, '0x1234');
    assert.equal(state.listenPort, 51999);
    const shown = state.peers[0];
    assert.equal(shown.presharedKey, presharedKey);
    assert.equal(shown.persistentKeepaliveSeconds, 25);
    assert.equal(shown.endpoint, `[${RIGHT.outer6}]:${PORT}`);
    assert.deepEqual(shown.allowedIps, [`${RIGHT.inner4}/32`, `${RIGHT.inner6}/128`, '192.0.2.0/24']);

    await leftWireguard.set('fwmark', '0', 'peer', peer, 'persistent-keepalive', 'off');
    assert.equal((await leftWireguard.state()).fwmark, 'off');
    // The session that was there before the preshared key is still good.
    await assertFlows(tunnel);
  });

  it('marks its datagrams with the firewall mark, from the next one on', { timeout: 120_000 }, async (t) => {
    const { left, leftWireguard } = await openTunnel(t);
    await left.nft(`table inet marks {
      chain output { type filter hook output priority 0; udp dport ${PORT} meta mark 0x77 counter; }
    }`);
    await assertPings(left, RIGHT.inner4);
    assert.equal(await countedPackets(tunnelCounter(left)), 0);

    await leftWireguard.set('fwmark', '0x77');
    await assertPings(left, RIGHT.inner4, { count: 3 });
    assert.ok((await countedPackets(tunnelCounter(left))) >= 3);
  });

  it('moves an allowed IP to the peer that is given it last', { timeout: 120_000 }, async (t) => {
    const { left, leftWireguard, rightWireguard } = await openTunnel(t);
    await assertPings(left, RIGHT.inner4);
    const other = generateKeyPair().publicKey;

    await leftWireguard.setPeer({ publicKey: other, allowedIps: `${RIGHT.inner4}/32` });
    assert.deepEqual((await leftWireguard.peer(rightWireguard.publicKey)).allowedIps, [`${RIGHT.inner6}/128`]);
    await assertNoPing(left, RIGHT.inner4, { count: 1 });
    await assertPings(left, RIGHT.inner6);

    await leftWireguard.setPeer({
      publicKey: rightWireguard.publicKey,
      allowedIps: `${RIGHT.inner4}/32,${RIGHT.inner6}/128`,
    });
    assert.deepEqual((await leftWireguard.peer(other)).allowedIps, []);
    await assertPings(left, RIGHT.inner4);
  });

  it('changes the key of one side without a restart', { timeout: 120_000 }, async (t) => {
    const tunnel = await openTunnel(t);
    const { left, leftWireguard, rightWireguard } = tunnel;
    await assertPings(left, RIGHT.inner4);
    const old = leftWireguard.publicKey;

    await leftWireguard.setKeys(generateKeyPair());
    await rightWireguard.setPeer({
      publicKey: leftWireguard.publicKey,
      allowedIps: `${LEFT.inner4}/32,${LEFT.inner6}/128`,
      endpoint: `${LEFT.outer4}:${PORT}`,
    });
    await rightWireguard.set('peer', old, 'remove');

    await assertFlows(tunnel);
    assert.equal((await rightWireguard.state()).peers.length, 1);
  });

  it('uses a changed preshared key from the next handshake on', { timeout: 240_000 }, async (t) => {
    const tunnel = await openTunnel(t, { hasPresharedKey: true });
    const { left, leftWireguard, rightWireguard } = tunnel;
    await assertPings(left, RIGHT.inner4);
    const first = (await leftWireguard.peer()).latestHandshake;

    const presharedKey = generatePresharedKey();
    await leftWireguard.setPeer({ publicKey: rightWireguard.publicKey, presharedKey });
    await rightWireguard.setPeer({ publicKey: leftWireguard.publicKey, presharedKey });
    await assertFlows(tunnel);
    assert.equal((await leftWireguard.peer()).latestHandshake, first);

    await relink(leftWireguard);
    await assertPings(left, RIGHT.inner4);
  });

  it('survives syncconf under traffic without losing the session or a packet', { timeout: 240_000 }, async (t) => {
    const { lab, left, leftWireguard, rightWireguard } = await openTunnel(t);
    await assertPings(left, RIGHT.inner4);
    const handshake = (await leftWireguard.peer()).latestHandshake;
    const path = join(lab.folder, 'sync.conf');
    const traffic = PingStream.start(left, RIGHT.inner4);

    for (let round = 0; traffic.lastAnswered < 150; round++) {
      writeFileSync(path, configuration(leftWireguard, rightWireguard, round), { mode: 0o600 });
      await run('wg', ['syncconf', leftWireguard.name, path]);
    }

    await traffic.assertUnbroken(150);
    assert.equal((await leftWireguard.peer(rightWireguard.publicKey)).latestHandshake, handshake);
  });

  it('keeps its session whatever is written to the control socket', { timeout: 240_000 }, async (t) => {
    const { left, leftWireguard, rightWireguard } = await openTunnel(t);
    await assertPings(left, RIGHT.inner4);
    const handshake = (await leftWireguard.peer()).latestHandshake;
    const traffic = PingStream.start(left, RIGHT.inner4);

    while (traffic.lastAnswered < 100)
      for (const garbage of garbageFor(rightWireguard.publicKey))
        await writeAndLeave(leftWireguard.socketPath, garbage);

    await traffic.assertUnbroken(100);
    assert.equal((await leftWireguard.peer()).latestHandshake, handshake);
    assert.equal((await leftWireguard.state()).peers.length, 1);
  });

  it('starts a session at once when the link comes back', { timeout: 240_000 }, async (t) => {
    const tunnel = await openTunnel(t);
    const { left, right, leftWireguard } = tunnel;
    await assertPings(left, RIGHT.inner4);

    await left.ip(`link set ${leftWireguard.name} down`);
    await assertNoPing(right, LEFT.inner4, { count: 1 });
    await left.ip(`link set ${leftWireguard.name} up`);
    await assertPings(left, RIGHT.inner4);
    await assertPings(right, LEFT.inner4);
  });

  it('takes 65,280 × 2 allowed IPs in one configuration, and keeps its session', { timeout: 240_000 }, async (t) => {
    const tunnel = await openTunnel(t);
    const { lab, left, leftWireguard, rightWireguard } = tunnel;
    await assertPings(left, RIGHT.inner4);
    const prefixes: string[] = [];
    for (let high = 1; high <= 255; high++)
      for (let low = 0; low <= 255; low++)
        prefixes.push(`${high}.${low}.0.0/16`, `2${hex(high)}${hex(low).slice(0, 1)}:${hex(low).slice(1)}::/32`);
    const path = join(lab.folder, 'large.conf');
    const extra = `[Peer]\nPublicKey = ${generateKeyPair().publicKey}\nAllowedIPs = ${prefixes.join(', ')}\n`;
    writeFileSync(path, configuration(leftWireguard, rightWireguard, 1) + extra, { mode: 0o600 });

    await run('wg', ['syncconf', leftWireguard.name, path]);

    const { peers } = await leftWireguard.state();
    assert.deepEqual(
      peers.map((peer) => peer.allowedIps.length),
      [2, prefixes.length],
    );
    assert.deepEqual(new Set(peers[1].allowedIps).size, prefixes.length);
    await assertFlows(tunnel);
  });

  it('removes a peer, and everything it had', { timeout: 120_000 }, async (t) => {
    const { left, leftWireguard, rightWireguard } = await openTunnel(t);
    await assertPings(left, RIGHT.inner4);

    await leftWireguard.set('peer', rightWireguard.publicKey, 'remove');

    assert.deepEqual((await leftWireguard.state()).peers, []);
    await assertNoPing(left, RIGHT.inner4, { count: 1 });
  });
});

/** A configuration as a person would edit it: the peer that matters stays, another one comes and goes. */
function configuration(own: Wireguard, peer: Wireguard, round: number): string {
  const lines = [
    '[Interface]',
    `PrivateKey = ${own.keys.privateKey}`,
    `ListenPort = ${PORT}`,
    '[Peer]',
    `PublicKey = ${peer.publicKey}`,
    `AllowedIPs = ${RIGHT.inner4}/32, ${RIGHT.inner6}/128`,
    `Endpoint = ${RIGHT.outer4}:${PORT}`,
    `PersistentKeepalive = ${round % 2 === 0 ? 25 : 30}`,
  ];
  if (round % 2 === 0) lines.push('[Peer]', `PublicKey = ${generateKeyPair().publicKey}`, 'AllowedIPs = 192.0.2.0/24');
  return `${lines.join('\n')}\n`;
}

/** Requests that are no requests, are cut, or never end; none of them may be applied. */
function garbageFor(publicKey: string): (string | Buffer)[] {
  const peer = `public_key=${Buffer.from(publicKey, 'base64').toString('hex')}\n`;
  return [
    '',
    randomBytes(10_000),
    'GET / HTTP/1.1\r\n\r\n',
    'get=1\n\n'.repeat(50),
    `set=1\n${peer}remove=true\nallowed_ip=10.0.0.0/99\n\n`,
    `set=1\nprivate_key=${'0'.repeat(63)}\n\n`,
    `set=1\nreplace_peers=true\n${peer}${'allowed_ip=10.0.0.0/8\n'.repeat(20_000)}no line\n\n`,
    'x'.repeat(4_000_000),
  ];
}

/** Hangs up without waiting for an answer. */
async function writeAndLeave(path: string, bytes: string | Buffer): Promise<void> {
  const socket = connect(path);
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.write(bytes, () => socket.destroy());
  });
}

async function assertFlows({ left, right }: Tunnel): Promise<void> {
  await assertPings(left, RIGHT.inner4);
  await assertPings(left, RIGHT.inner6);
  await assertPings(right, LEFT.inner4);
}

/** The link goes down and up, so that the next packet needs a new session. */
async function relink(wireguard: Wireguard): Promise<void> {
  const { peers } = await wireguard.state();
  await wireguard.host.ip(`link set ${wireguard.name} down`);
  await wireguard.host.ip(`link set ${wireguard.name} up`);
  await waitFor('the peers to be there still', async () => (await wireguard.state()).peers.length === peers.length);
}

function tunnelCounter(host: Tunnel['left']): Promise<string> {
  return host.run('nft', ['list', 'table', 'inet', 'marks']);
}

async function countedPackets(listing: Promise<string>): Promise<number> {
  return Number(/counter packets (\d+)/.exec(await listing)?.[1] ?? Number.NaN);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

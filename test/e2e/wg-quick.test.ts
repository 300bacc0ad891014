/**
 * Stock `wg-quick` brings the interface up and down by `WG_QUICK_USERSPACE_IMPLEMENTATION`.
 *
 * ```text
 *   client                                        server
 *   eth0 203.0.113.2/24 ═══════ cable ═══════ 203.0.113.1/24 eth0
 *   wg   10.66.0.2, fd66::2  ─ ─ tunnel ─ ─   10.66.0.1, fd66::1   wg
 *   default route by 203.0.113.1              198.51.100.7, 2001:db8:7::7   lo ("the internet")
 * ```
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Capture } from '../lab/capture.js';
import { subject } from '../lab/implementation.js';
import { addAddresses, kernelHasWireguard, Lab } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { run } from '../lab/program.js';
import { assertPings, transfer } from '../lab/traffic.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const INTERNET = { 4: '198.51.100.7', 6: '2001:db8:7::7' };

interface Setting {
  readonly lab: Lab;
  readonly client: Host;
  readonly server: Host;
  readonly serverWireguard: Wireguard;
  /** Not started: `wg-quick` does that. */
  readonly clientWireguard: Wireguard;
}

describe('wg-quick', () => {
  it('sets addresses, MTU and routes, and takes all away again', { timeout: 240_000 }, async (t) => {
    const setting = await openSetting(t);
    const { client, clientWireguard } = setting;
    const { name } = clientWireguard;
    const path = writeConfiguration(setting, ['10.66.0.0/24', 'fd66::/64', '10.99.0.0/16']);
    const rulesBefore = await networkState(client);

    const said = await wgQuick(client, 'up', path);
    assert.match(said, /Falling back to slow userspace implementation/);
    assert.match(await client.ip('-o addr show'), new RegExp(`${name} +inet 10\\.66\\.0\\.2/24`));
    assert.match(await client.ip(`-d link show ${name}`), /mtu 1420 .*tun type tun/s);
    assert.match(await client.ip('route show'), new RegExp(`10\\.99\\.0\\.0/16 dev ${name}`));
    await assertPings(client, '10.66.0.1');
    await assertPings(client, 'fd66::1');
    await wgQuick(client, 'down', path);

    await waitFor('the daemon to end', async () => (await client.processIds()).length === 0);
    assert.ok(!existsSync(clientWireguard.socketPath));
    assert.equal(await networkState(client), rulesBefore);
  });

  it('sends everything through the tunnel when AllowedIPs is 0.0.0.0/0, ::/0', { timeout: 240_000 }, async (t) => {
    const setting = await openSetting(t);
    const { lab, client, server, clientWireguard } = setting;
    const path = writeConfiguration(setting, ['0.0.0.0/0', '::/0']);
    const rulesBefore = await networkState(client);

    await wgQuick(client, 'up', path);
    const state = await clientWireguard.state();
    assert.match(state.fwmark, /^0x/);
    assert.match(await client.ip('rule show'), new RegExp(`not from all fwmark ${state.fwmark} lookup`));
    const onWire = await Capture.start(lab, client, 'eth0', 'ip or ip6');
    await assertPings(client, INTERNET[4]);
    await assertPings(client, INTERNET[6]);
    const { arrivedBytes } = await transfer(client, server, INTERNET[4], { bytes: 8_000_000 });
    const seen = await onWire.stop();
    await wgQuick(client, 'down', path);

    assert.ok(arrivedBytes > 4_000_000);
    const inTheClear = seen.filter(
      ({ destination }) => destination === INTERNET[4] || destination.startsWith('20010db8'),
    );
    assert.equal(inTheClear.length, 0, 'nothing for the internet is seen outside of the tunnel');
    await waitFor('the daemon to end', async () => (await client.processIds()).length === 0);
    assert.equal(await networkState(client), rulesBefore);
  });

  it('saves what was changed, and syncs what was stripped', { timeout: 240_000 }, async (t) => {
    const setting = await openSetting(t);
    const { lab, client, serverWireguard, clientWireguard } = setting;
    const path = writeConfiguration(setting, ['10.66.0.0/24']);
    await wgQuick(client, 'up', path);
    await assertPings(client, '10.66.0.1');
    const handshake = (await clientWireguard.peer()).latestHandshake;

    await clientWireguard.set('peer', serverWireguard.publicKey, 'persistent-keepalive', '21');
    await wgQuick(client, 'save', path);
    const stripped = join(lab.folder, 'stripped.conf');
    writeFileSync(stripped, await client.run('wg-quick', ['strip', path]), { mode: 0o600 });
    await run('wg', ['syncconf', clientWireguard.name, stripped]);

    const peer = await clientWireguard.peer();
    assert.equal(peer.persistentKeepaliveSeconds, 21);
    assert.equal(peer.latestHandshake, handshake);
    await assertPings(client, '10.66.0.1');
    await wgQuick(client, 'down', path);
  });
});

async function openSetting(t: Parameters<typeof Lab.open>[0]): Promise<Setting> {
  const lab = Lab.open(t);
  const [client, server] = [await lab.host('client'), await lab.host('server')];
  assert.ok(!(await kernelHasWireguard(client)), 'with WireGuard in the kernel, wg-quick takes that instead of ours');
  await lab.cable([client, 'eth0'], [server, 'eth0']);
  await addAddresses(
    [client, 'eth0', '203.0.113.2/24', 'fd00:cc::2/64'],
    [server, 'eth0', '203.0.113.1/24', 'fd00:cc::1/64'],
    [server, 'lo', `${INTERNET[4]}/32`, `${INTERNET[6]}/128`],
  );
  await client.ip('route add default via 203.0.113.1');
  await client.ip('-6 route add default via fd00:cc::1');
  const serverWireguard = await Wireguard.create(lab, server, subject);
  const clientWireguard = new Wireguard(lab, client, subject);
  await serverWireguard.setPeer({ publicKey: clientWireguard.publicKey, allowedIps: '10.66.0.2/32,fd66::2/128' });
  await serverWireguard.up(['10.66.0.1/24', 'fd66::1/64']);
  return { lab, client, server, serverWireguard, clientWireguard };
}

function writeConfiguration({ lab, clientWireguard, serverWireguard }: Setting, allowedIps: readonly string[]): string {
  const path = join(lab.folder, `${clientWireguard.name}.conf`);
  const lines = [
    '[Interface]',
    `PrivateKey = ${clientWireguard.keys.privateKey}`,
    'Address = 10.66.0.2/24, fd66::2/64',
    '[Peer]',
    `PublicKey = ${serverWireguard.publicKey}`,
    `AllowedIPs = ${allowedIps.join(', ')}`,
    'Endpoint = 203.0.113.1:51820',
  ];
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  return path;
}

/** @returns What it said on standard error: every command that it ran. */
async function wgQuick(host: Host, verb: string, path: string): Promise<string> {
  const env = { WG_QUICK_USERSPACE_IMPLEMENTATION: subject.command };
  const { status, stdout, stderr } = await host.attempt('wg-quick', [verb, path], { env });
  assert.equal(status, 0, stdout + stderr);
  return stderr;
}

/** Everything that wg-quick may touch, for a comparison. */
async function networkState(host: Host): Promise<string> {
  const parts = [
    await host.ip('-brief link'),
    await host.ip('rule show'),
    await host.ip('-6 rule show'),
    await host.ip('route show table all'),
    await host.run('nft', ['list', 'ruleset']),
  ];
  return parts.join('\n');
}

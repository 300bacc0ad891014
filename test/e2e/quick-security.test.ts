/**
 * Attacks on the cable against a client whose tunnel takes all traffic.
 *
 * Topology: test/lab/quick-client.ts; the server's side of the cable is the attacker's, too.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture } from '../lab/capture.js';
import { subject } from '../lab/implementation.js';
import type { Machine } from '../lab/machine.js';
import { clientConfig, INTERNET, openQuickClient, type QuickClient } from '../lab/quick-client.js';
import { assertNoPing, assertPings } from '../lab/traffic.js';

/** The kill switch of wg-quick(8): nothing leaves but through the tunnel, or marked as its own. */
const KILL_SWITCH = ['iptables', 'ip6tables'].flatMap((program) => {
  const rule = 'OUTPUT ! -o %i -m mark ! --mark $(wg show %i fwmark) -m addrtype ! --dst-type LOCAL -j REJECT';
  return [`PostUp = ${program} -I ${rule}`, `PreDown = ${program} -D ${rule}`];
});

describe('a client whose tunnel takes all traffic', { concurrency: 2 }, () => {
  it('does not answer for its inner address on the cable (CVE-2019-14899)', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client, server, serverWireguard } = setting;
    // The attacker guesses the address and sends to it by the cable.
    await server.ip(`route del 10.66.0.0/24 dev ${serverWireguard.name}`);
    for (const [family, address, way] of [
      ['-4', '10.66.0.2', '203.0.113.2'],
      ['-6', 'fd66::2', '2001:db8:c::2'],
    ]) {
      await server.ip(`${family} route replace ${address} via ${way} dev eth0`);
    }
    await up(setting, []);

    await assertNoPing(server, '10.66.0.2', { source: '203.0.113.1' });
    await assertNoPing(server, 'fd66::2', { source: '2001:db8:c::1' });
    await client.run('nft', ['delete', 'table', 'ip', 'wg-quick-wg0']);
    await client.run('nft', ['delete', 'table', 'ip6', 'wg-quick-wg0']);
    await assertPings(server, '10.66.0.2', { source: '203.0.113.1' });
    await assertPings(server, 'fd66::2', { source: '2001:db8:c::1' });
  });

  it('sends nothing in the clear by a route that DHCP plants, with the kill switch', {
    timeout: 240_000,
  }, async (t) => {
    const setting = await openQuickClient(t);
    const { lab, client } = setting;
    await up(setting, KILL_SWITCH);
    await assertPings(client.host, INTERNET[4]);
    const onWire = await Capture.start(lab, client.host, 'eth0', 'ip or ip6');

    // Option 121 (RFC 3442) gives a host any route; an exact one goes before the tunnel.
    await client.host.ip(`route add ${INTERNET[4]} via 203.0.113.1`);
    await client.host.ip(`-6 route add ${INTERNET[6]} via 2001:db8:c::1`);
    await assertNoPing(client.host, INTERNET[4]);
    await assertNoPing(client.host, INTERNET[6]);
    const inTheClear = (await onWire.stop()).filter(
      ({ destination }) => destination === INTERNET[4] || destination.startsWith('20010db800070'),
    );

    assert.equal(inTheClear.length, 0);
    await down(client);
    assert.doesNotMatch(await client.run('iptables-save', []), /REJECT/);
  });

  it('is never without its rules while routes come and go', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { lab, client } = setting;
    // Everything there is to hear, from before the first command to after the last.
    await up(setting, []);
    await assertPings(client.host, INTERNET[4]);
    const onWire = await Capture.start(lab, client.host, 'eth0', `host ${INTERNET[4]}`);
    const ping = client.start('ping', ['-i', '0.02', '-W', '1', INTERNET[4]]);
    await ping.says(/bytes from/);

    await client.write('/etc/wireguard/wg0.conf', file(setting, ['MTU = 1300', 'DNS = 10.66.0.1'], '0.0.0.0/0, ::/0'));
    assert.equal((await client.wiretype('reload', 'wg0')).status, 0);
    await client.write('/etc/wireguard/wg0.conf', file(setting, ['MTU = 1300'], '0.0.0.0/0'));
    assert.equal((await client.wiretype('reload', 'wg0')).status, 0);
    await ping.stop('SIGINT');

    assert.deepEqual(await onWire.stop(), []);
  });
});

function file(setting: QuickClient, lines: readonly string[], allowedIps: string): string {
  return clientConfig(setting, {
    interface: ['Address = 10.66.0.2/24, fd66::2/64', ...lines],
    peer: [`AllowedIPs = ${allowedIps}`],
  });
}

async function up(setting: QuickClient, lines: readonly string[]): Promise<void> {
  await setting.client.write('/etc/wireguard/wg0.conf', file(setting, lines, '0.0.0.0/0, ::/0'));
  const { status, stderr } = await setting.client.wiretype('up', '--implementation', subject.command, 'wg0');
  assert.equal(status, 0, stderr);
}

async function down(client: Machine): Promise<void> {
  const { status, stderr } = await client.wiretype('down', 'wg0');
  assert.equal(status, 0, stderr);
}

/**
 * Peers behind address translation: persistent keepalives hold the mapping open (whitepaper §6.5), and a host that
 * both can reach forwards between two that cannot reach each other.
 *
 * ```text
 *   client               router                            hub
 *   eth0 10.1.0.2/24 ═══ lan 10.1.0.1/24
 *                        wan 203.0.113.101/24 ═══════════ eth0 203.0.113.10/24
 *   wg 192.168.241.1     (masquerade)                      wg 192.168.241.254
 * ```
 *
 * The relay adds a second client (10.2.0.2, behind 198.51.100.102, wg 192.168.241.2) on the hub's eth1.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { subject } from '../lab/implementation.js';
import { addAddresses, Lab } from '../lab/lab.js';
import { translateAddresses } from '../lab/lan.js';
import type { Host } from '../lab/namespace.js';
import { assertNoPing, assertPings, ping, transfer } from '../lab/traffic.js';
import { waitFor, watchFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const HUB_INNER = '192.168.241.254';
const MAPPING_SECONDS = 2;

interface Site {
  readonly client: Host;
  readonly router: Host;
  readonly wireguard: Wireguard;
}

interface SitePlan {
  readonly title: string;
  readonly lan: string;
  readonly wan: string;
  readonly hubAddress: string;
  readonly hubInterface: string;
  readonly inner: string;
}

const WEST: SitePlan = {
  title: 'west',
  lan: '10.1.0',
  wan: '203.0.113.101',
  hubAddress: '203.0.113.10',
  hubInterface: 'eth0',
  inner: '192.168.241.1',
};
const EAST: SitePlan = {
  title: 'east',
  lan: '10.2.0',
  wan: '198.51.100.102',
  hubAddress: '198.51.100.10',
  hubInterface: 'eth1',
  inner: '192.168.241.2',
};

describe('behind a NAT', { concurrency: 2 }, () => {
  it('stays reachable with persistent keepalives, and only with them, while mappings live for 2 s', {
    timeout: 240_000,
  }, async (t) => {
    const { lab, hub, hubWireguard } = await openHub(t);
    const site = await openSite(lab, hub, hubWireguard, WEST);
    await endMappingsAfter(site.router, MAPPING_SECONDS);
    const inner = WEST.inner;

    await site.wireguard.setPeer({ publicKey: hubWireguard.publicKey, keepalive: 1 });
    await waitFor('the handshake', async () => (await hubWireguard.peer()).latestHandshake > 0);
    await watchFor(2 * MAPPING_SECONDS * 1_000);
    // A busy machine may be late with one of them: then the next opens a mapping again, which the hub follows.
    await waitFor('the hub to reach the client', async () => (await ping(hub, inner, { count: 1 })).received === 1);

    await site.wireguard.setPeer({ publicKey: hubWireguard.publicKey, keepalive: 0 });
    await waitFor('the mapping to end', async () => (await mappings(site.router)) === 0);
    await assertNoPing(hub, inner, { count: 1 });

    await assertPings(site.client, HUB_INNER);
    await assertPings(hub, inner);
  });

  it('relays between two peers that cannot reach each other', { timeout: 240_000 }, async (t) => {
    const { lab, hub, hubWireguard } = await openHub(t);
    await hub.forwards();
    const west = await openSite(lab, hub, hubWireguard, WEST);
    const east = await openSite(lab, hub, hubWireguard, EAST);
    for (const { wireguard } of [west, east])
      await wireguard.setPeer({ publicKey: hubWireguard.publicKey, keepalive: 1 });
    await waitFor('both handshakes', async () =>
      (await hubWireguard.state()).peers.every((peer) => peer.latestHandshake > 0),
    );

    await assertNoPing(west.client, EAST.wan, { count: 1 });
    await assertPings(west.client, EAST.inner);
    await assertPings(east.client, WEST.inner, { size: 4_000 });
    for (const isReverse of [false, true]) {
      const { arrivedBytes } = await transfer(west.client, east.client, EAST.inner, { bytes: 8_000_000, isReverse });
      assert.ok(arrivedBytes > 4_000_000, `${arrivedBytes} bytes`);
    }

    const { peers } = await hubWireguard.state();
    assert.deepEqual(
      peers.map(({ endpoint }) => endpoint?.split(':')[0]),
      [WEST.wan, EAST.wan],
    );
  });
});

async function openHub(t: Parameters<typeof Lab.open>[0]): Promise<{ lab: Lab; hub: Host; hubWireguard: Wireguard }> {
  const lab = Lab.open(t);
  const hub = await lab.host('hub');
  const hubWireguard = await Wireguard.create(lab, hub, subject);
  await hubWireguard.up([`${HUB_INNER}/24`]);
  return { lab, hub, hubWireguard };
}

async function openSite(lab: Lab, hub: Host, hubWireguard: Wireguard, plan: SitePlan): Promise<Site> {
  const [client, router] = [await lab.host(plan.title), await lab.host(`router-${plan.title}`)];
  await lab.cable([client, 'eth0'], [router, 'lan']);
  await lab.cable([router, 'wan'], [hub, plan.hubInterface]);
  await addAddresses(
    [client, 'eth0', `${plan.lan}.2/24`],
    [router, 'lan', `${plan.lan}.1/24`],
    [router, 'wan', `${plan.wan}/24`],
    [hub, plan.hubInterface, `${plan.hubAddress}/24`],
  );
  await client.ip(`route add default via ${plan.lan}.1`);
  await translateAddresses(router, { outside: 'wan', inside: 'lan' });

  const wireguard = await Wireguard.create(lab, client, subject);
  const endpoint = `${plan.hubAddress}:51820`;
  await wireguard.setPeer({ publicKey: hubWireguard.publicKey, allowedIps: '192.168.241.0/24', endpoint });
  await hubWireguard.setPeer({ publicKey: wireguard.publicKey, allowedIps: `${plan.inner}/32` });
  await wireguard.up([`${plan.inner}/24`]);
  return { client, router, wireguard };
}

async function endMappingsAfter(router: Host, seconds: number): Promise<void> {
  for (const key of ['udp_timeout', 'udp_timeout_stream'])
    await router.sysctl(`net.netfilter.nf_conntrack_${key}`, seconds);
}

async function mappings(router: Host): Promise<number> {
  return (await router.run('conntrack', ['-L', '-p', 'udp'])).split('\n').filter(Boolean).length;
}

/** docs/guides/relay.md, word for word. Topology: in the guide, test/lab/internet.ts and test/lab/lan.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture } from '../../lab/capture.js';
import { furnish, Guide } from '../../lab/guide.js';
import { Internet, PUBLIC_ADDRESSES } from '../../lab/internet.js';
import { Lab } from '../../lab/lab.js';
import { openLan, translateAddresses } from '../../lab/lan.js';
import { Machine } from '../../lab/machine.js';
import type { Host } from '../../lab/namespace.js';
import { assertNoPing, assertPings, transfer } from '../../lab/traffic.js';

const [RELAY, , OFFICE] = PUBLIC_ADDRESSES;
const [PC, NAS, DESK] = ['10.66.0.2', '10.66.0.3', '10.66.0.4'];

describe('docs/guides/relay.md', () => {
  it('relays between hosts behind NAT, and prefers the more specific way', { timeout: 240_000 }, async (t) => {
    const { lab, relay, pc, nas, desk, guide } = await openSetting(t);
    await assertNoPing(pc.host, OFFICE[4], { count: 1 });
    await guide.follow('The relay');
    assert.doesNotMatch(await guide.follow('The hosts'), /Redirect/);

    await assertPings(pc.host, DESK);
    await assertPings(desk.host, NAS, { size: 4_000 });
    assert.ok((await transfer(desk.host, pc.host, PC, { bytes: 4_000_000 })).arrivedBytes > 2_000_000);
    assert.equal(await relayed(lab, relay, pc.host, NAS), true);

    await guide.follow('A direct path');
    guide.assertFollowed();
    assert.equal(await relayed(lab, relay, pc.host, NAS), false);
    assert.equal(await relayed(lab, relay, nas.host, PC), false);
    assert.equal(await relayed(lab, relay, pc.host, DESK), true);
    assert.equal(await relayed(lab, relay, desk.host, NAS), true);
  });

  it('keeps the more specific way when everything is set up anew', { timeout: 240_000 }, async (t) => {
    const { lab, relay, pc, nas, guide } = await openSetting(t);
    for (const section of ['The relay', 'The hosts', 'A direct path']) await guide.follow(section);

    for (const machine of [pc, nas]) {
      assert.equal((await machine.wiretype('down', 'wg0')).status, 0);
      assert.equal((await machine.wiretype('up', 'wg0')).status, 0);
    }

    assert.equal(await relayed(lab, relay, pc.host, NAS), false);
  });
});

/** Whether pings between two hosts, which all arrive, pass the relay. */
async function relayed(lab: Lab, relay: Machine, from: Host, address: string): Promise<boolean> {
  const inside = await Capture.start(lab, relay.host, 'wg0', 'icmp');
  await assertPings(from, address);
  return (await inside.stop()).length > 0;
}

async function openSetting(t: Parameters<typeof Lab.open>[0]) {
  const lab = Lab.open(t);
  const internet = await Internet.open(lab);
  const [home, office] = [await lab.host('home'), await lab.host('office')];
  const [relay, pc] = [await Machine.create(lab, 'relay'), await Machine.create(lab, 'pc')];
  const [nas, desk] = [await Machine.create(lab, 'nas'), await Machine.create(lab, 'desk')];
  for (const host of [relay.host, home, office]) await internet.connect(host);
  await openLan(lab, home, '192.168.1', [pc.host, nas.host]);
  await openLan(lab, office, '192.168.2', [desk.host]);
  for (const router of [home, office]) await translateAddresses(router, { outside: 'eth0', inside: 'lan0' });
  const machines = { relay, pc, nas, desk };
  await furnish(machines, [{ name: 'relay.example.net', machine: relay, address: RELAY[4] }]);
  return { lab, ...machines, guide: new Guide('relay', machines) };
}

/** docs/guides/site-to-site.md, word for word. Topology: in the guide, test/lab/internet.ts and test/lab/lan.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture } from '../../lab/capture.js';
import { furnish, Guide } from '../../lab/guide.js';
import { Internet, PUBLIC_ADDRESSES } from '../../lab/internet.js';
import { addAddresses, Lab } from '../../lab/lab.js';
import { openLan } from '../../lab/lan.js';
import { Machine } from '../../lab/machine.js';
import { assertNoPing, assertPings } from '../../lab/traffic.js';

const [BERLIN] = PUBLIC_ADDRESSES;
const IN_BERLIN = '192.168.1.20';
const IN_PARIS = '192.168.2.20';
const PRINTER = '192.168.3.1';

describe('docs/guides/site-to-site.md', () => {
  it('joins the networks behind both ends, with their own addresses', { timeout: 240_000 }, async (t) => {
    const { lab, berlin, inBerlin, inParis, guide } = await openSetting(t);
    await guide.follow('Forwarding');
    await guide.follow('Berlin');
    await assertNoPing(inBerlin, IN_PARIS);

    await guide.follow('Paris');
    const onWire = await Capture.start(lab, berlin.host, 'eth0', 'ip');
    const arriving = await Capture.start(lab, inParis, 'eth0', `icmp and dst host ${IN_PARIS}`);
    await assertPings(inBerlin, IN_PARIS);
    await assertPings(inParis, IN_BERLIN, { size: 4_000 });
    const [outside, inside] = [await onWire.stop(), await arriving.stop()];
    assert.ok(outside.length > 0 && outside.every(({ udp }) => udp !== undefined), 'nothing but WireGuard outside');
    assert.ok(inside.length > 0 && inside.every(({ source }) => source === IN_BERLIN), 'no translation on the way');

    await assertNoPing(inBerlin, PRINTER);
    const said = await guide.follow('Another network');
    guide.assertFollowed();
    assert.match(said, /192\.168\.3\.0\/24/);
    await assertPings(inBerlin, PRINTER);
  });
});

async function openSetting(t: Parameters<typeof Lab.open>[0]) {
  const lab = Lab.open(t);
  const internet = await Internet.open(lab);
  const [berlin, paris] = [await Machine.create(lab, 'berlin'), await Machine.create(lab, 'paris')];
  const [inBerlin, inParis] = [await lab.host('in-berlin'), await lab.host('in-paris')];
  await internet.connect(berlin.host);
  await internet.connect(paris.host);
  await openLan(lab, berlin.host, '192.168.1', [inBerlin]);
  await openLan(lab, paris.host, '192.168.2', [inParis]);
  await addAddresses([paris.host, 'lo', `${PRINTER}/32`]);
  const machines = { berlin, paris };
  await furnish(machines, [{ name: 'berlin.example.net', machine: berlin, address: BERLIN[4] }]);
  return { lab, berlin, inBerlin, inParis, guide: new Guide('site-to-site', machines) };
}

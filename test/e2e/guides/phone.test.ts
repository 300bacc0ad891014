/**
 * docs/guides/phone.md, word for word. Topology: in the guide, and test/lab/internet.ts.
 *
 * The phone is a host with the stock tools: its camera is an independent decoder, its app is stock wg-quick.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { scan } from '../../lab/camera.js';
import { furnish, Guide } from '../../lab/guide.js';
import { Internet, KNOWN_SERVER, PUBLIC_ADDRESSES, seenAddress } from '../../lab/internet.js';
import { Lab } from '../../lab/lab.js';
import { Machine } from '../../lab/machine.js';
import { BACKEND_ENVIRONMENT } from '../../lab/quick-client.js';
import { assertNoPing } from '../../lab/traffic.js';

const [SERVER] = PUBLIC_ADDRESSES;

describe('docs/guides/phone.md', () => {
  it('gives a QR code that stock wg-quick can use, until the phone is lost', { timeout: 240_000 }, async (t) => {
    const { phone, guide } = await openSetting(t);
    await guide.follow('The server');

    const drawn = await guide.follow('The phone');
    await phone.write('/etc/wireguard/wg0.conf', scan(drawn));
    await phone.run('wg-quick', ['up', 'wg0'], { env: BACKEND_ENVIRONMENT });
    assert.equal(await seenAddress(phone, 4), SERVER[4]);
    assert.equal(await seenAddress(phone, 6), SERVER[6]);

    assert.match(await guide.follow('Who is there'), /^phone +online .*(?:Now| ago) +\S{44}$/m);
    await guide.follow('The phone is lost');
    guide.assertFollowed();
    await assertNoPing(phone.host, KNOWN_SERVER[4]);
  });
});

async function openSetting(t: Parameters<typeof Lab.open>[0]) {
  const lab = Lab.open(t);
  const internet = await Internet.open(lab);
  const [server, phone] = [await Machine.create(lab, 'server'), await Machine.create(lab, 'phone')];
  await internet.connect(server.host);
  await internet.connect(phone.host);
  await furnish({ server, phone }, [{ name: 'vpn.example.net', machine: server, address: SERVER[4] }]);
  // Where a name server is to be set, stock wg-quick wants it.
  await phone.install('resolvconf', 'cat > /dev/null');
  return { phone, guide: new Guide('phone', { server }) };
}

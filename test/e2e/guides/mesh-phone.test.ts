/**
 * docs/guides/mesh-phone.md, word for word. Topology: mesh-guide.ts.
 *
 * The phone is a host with the stock tools: its camera is an independent decoder, its app is stock wg-quick.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { scan } from '../../lab/camera.js';
import type { Machine } from '../../lab/machine.js';
import { BACKEND_ENVIRONMENT } from '../../lab/quick-client.js';
import { assertNoPing, pingUntilAnswered } from '../../lab/traffic.js';
import { addressIn, openMeshGuide } from './mesh-guide.js';

describe('docs/guides/mesh-phone.md', () => {
  it('makes stock WireGuard a member, end to end encrypted, until the phone is lost', {
    timeout: 240_000,
  }, async (t) => {
    const setting = await openMeshGuide(t, 'mesh-phone', { laptop: 'easy', phone: 'hard', desk: 'easy' });
    const { guide } = setting;
    const { laptop, phone, desk } = setting.sites;
    await phone.machine.install('resolvconf', '[ "$1" != -a ] || cat > /etc/resolv.conf');
    await guide.follow('The mesh');

    await turnOn(phone.machine, scan(await guide.follow('The phone')));
    await phone.machine.run('ping', ['-n', '-c', '1', '-W', '30', 'laptop.home.internal']);
    await guide.follow('Does it work?');
    assert.equal((await sessions(phone.machine)).length, 2, 'one with the hub, one with the laptop');

    await guide.follow('A new node');
    const address = await addressIn(phone.machine, 'wg0');
    await pingUntilAnswered(desk.machine.host, address);
    assert.equal((await sessions(phone.machine)).length, 2, 'the hub stands between phone and desk');

    const code = scan(await guide.follow('A new code'));
    await phone.machine.run('wg-quick', ['down', 'wg0'], { env: BACKEND_ENVIRONMENT });
    await turnOn(phone.machine, code);
    await pingUntilAnswered(desk.machine.host, address);
    await pingUntilAnswered(laptop.machine.host, address);
    assert.equal((await sessions(phone.machine)).length, 3, 'end to end with the desk, too');

    await guide.follow('It does not connect');
    await guide.follow('The phone is lost');
    guide.assertFollowed();
    await assertNoPing(laptop.machine.host, address);
  });
});

async function turnOn(phone: Machine, file: string): Promise<void> {
  await phone.write('/etc/wireguard/wg0.conf', file);
  await phone.run('wg-quick', ['up', 'wg0'], { env: BACKEND_ENVIRONMENT });
}

/** The peers that have shaken hands. */
async function sessions(phone: Machine): Promise<string[]> {
  const lines = (await phone.run('wg', ['show', 'wg0', 'latest-handshakes'])).trim().split('\n');
  return lines.filter((line) => !line.endsWith('\t0'));
}

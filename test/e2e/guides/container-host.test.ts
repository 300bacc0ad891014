/** docs/guides/container-host.md, word for word. Topology: in the guide, and test/lab/internet.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture } from '../../lab/capture.js';
import { furnish, Guide } from '../../lab/guide.js';
import { Internet, KNOWN_SERVER, lookUpName, PUBLIC_ADDRESSES, seenAddress } from '../../lab/internet.js';
import { Lab } from '../../lab/lab.js';
import { Machine } from '../../lab/machine.js';
import { hostState } from '../../lab/quick-client.js';
import { waitFor } from '../../lab/wait.js';

const [SERVER, HOST] = PUBLIC_ADDRESSES;
const NAMESPACE = 'apps';

describe('docs/guides/container-host.md', { concurrency: 2 }, () => {
  it('leaves a namespace no way out but the tunnel', { timeout: 240_000 }, async (t) => {
    const { lab, host, guide } = await openSetting(t);
    await guide.follow('The server');
    const before = await hostState(host);
    await guide.follow('The namespace');
    await guide.follow('The interface');
    const onWire = await Capture.start(lab, host.host, 'eth0', 'ip');
    await guide.follow('Inside');

    assert.equal(await seenAddress(host, 4, NAMESPACE), SERVER[4]);
    assert.equal(await seenAddress(host, 6, NAMESPACE), SERVER[6]);
    assert.match(await lookUpName(host, NAMESPACE), new RegExp(`^${KNOWN_SERVER[4]} `));
    const seen = await onWire.stop();
    assert.ok(seen.length > 0 && seen.every(({ udp }) => udp !== undefined), 'nothing but WireGuard outside');
    assert.equal(await seenAddress(host, 4), HOST[4], 'the host goes on as before');

    await guide.follow('Changes');
    assert.equal(await seenAddress(host, 4, NAMESPACE), SERVER[4]);
    await guide.follow('Down');
    guide.assertFollowed();
    await waitFor('the daemon to end', async () => (await host.run('ls', ['/run/wireguard'])) === '');
    assert.equal(await hostState(host), before);
  });

  it('leaves no way out when the daemon has died', { timeout: 240_000 }, async (t) => {
    const { host, guide } = await openSetting(t);
    for (const section of ['The server', 'The namespace', 'The interface', 'Inside']) await guide.follow(section);
    assert.equal((await inside(host, 'ip', '-br', 'link')).stdout.match(/^\S+/gm)?.join(), 'lo,wg0');

    await host.run('rm', ['/run/wireguard/wg0.sock']);
    await waitFor(
      'the daemon to end',
      async () => (await host.attempt('ip', ['-n', NAMESPACE, 'link', 'show', 'wg0'])).status !== 0,
    );

    assert.match((await inside(host, 'ping', '-c', '1', KNOWN_SERVER[4])).stderr, /Network is unreachable/);
    assert.equal((await inside(host, 'ip', '-br', 'link')).stdout.match(/^\S+/gm)?.join(), 'lo');
  });

  it('tells who asks on the host that the interface is elsewhere', { timeout: 240_000 }, async (t) => {
    const { host, guide } = await openSetting(t);
    for (const section of ['The server', 'The namespace', 'The interface', 'Inside']) await guide.follow(section);
    const file = await host.read('/etc/wireguard/wg0.conf');

    const explained = (await host.wiretype('explain', 'wg0')).stdout;
    assert.match(explained, /^wg0: link elsewhere, .*another network namespace/s);
    assert.match(explained, /There is a session/);
    for (const command of ['reload', 'save']) {
      const { status, stderr } = await host.wiretype(command, 'wg0');
      assert.equal(status, 1);
      assert.match(stderr, /wg0 is in the network namespace apps \(ERR_OTHER_NAMESPACE\)/);
    }
    assert.equal(await host.read('/etc/wireguard/wg0.conf'), file);
  });
});

async function openSetting(t: Parameters<typeof Lab.open>[0]) {
  const lab = Lab.open(t);
  const internet = await Internet.open(lab);
  const [server, host] = [await Machine.create(lab, 'server'), await Machine.create(lab, 'host')];
  await internet.connect(server.host);
  await internet.connect(host.host);
  const machines = { server, host };
  await furnish(machines, [{ name: 'vpn.example.net', machine: server, address: SERVER[4] }]);
  // Readers come from there.
  await new Guide('full-tunnel', machines).follow('The server');
  return { lab, host, guide: new Guide('container-host', machines) };
}

async function inside(host: Machine, ...words: readonly string[]) {
  return await host.attempt('ip', ['netns', 'exec', NAMESPACE, ...words]);
}

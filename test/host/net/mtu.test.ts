import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { detectMtu } from '../../../src/host/net/mtu.js';
import { FakeCommands } from './fake-commands.js';

/** The MTUs of the ways and of the links of a host. */
function hostWith(
  ways: Readonly<Record<string, { dev: string; mtu?: number }>>,
  links: Readonly<Record<string, number>>,
) {
  return new FakeCommands((words) => {
    const target = words.includes('get')
      ? words[words.indexOf('get') + 1]!
      : words.includes('default')
        ? 'default'
        : '';
    const way = ways[words.includes('mark') ? `${target} mark` : target];
    if (way !== undefined) {
      return JSON.stringify([{ dev: way.dev, metrics: way.mtu === undefined ? [] : [{ mtu: way.mtu }] }]);
    }
    const mtu = words.includes('link') ? links[words.at(-1)!] : undefined;
    return mtu === undefined ? { status: 2, stderr: 'unreachable' } : JSON.stringify([{ mtu }]);
  });
}

describe('detectMtu', () => {
  it('takes the narrowest way to an endpoint, less 80 bytes', async () => {
    const host = hostWith(
      { '1.1.1.1': { dev: 'eth0' }, '2.2.2.2': { dev: 'ppp0' }, '::1': { dev: 'eth0' } },
      { eth0: 1500, ppp0: 1492 },
    );
    assert.equal(await detectMtu(host, ['1.1.1.1', '2.2.2.2', '::1'], 0), 1412);
  });

  it('believes the route before the link', async () => {
    const host = hostWith({ '1.1.1.1': { dev: 'eth0', mtu: 1400 } }, { eth0: 1500 });
    assert.equal(await detectMtu(host, ['1.1.1.1'], 0), 1320);
  });

  it('asks for the way of marked datagrams', async () => {
    const host = hostWith({ '1.1.1.1': { dev: 'wg0' }, '1.1.1.1 mark': { dev: 'eth0' } }, { wg0: 1420, eth0: 1500 });
    assert.equal(await detectMtu(host, ['1.1.1.1'], 51_820), 1420);
  });

  it('takes the default route without endpoints that can be reached, and Ethernet without that', async () => {
    const host = hostWith({ default: { dev: 'wlan0' } }, { wlan0: 1460 });
    assert.equal(await detectMtu(host, [], 0), 1380);
    assert.equal(await detectMtu(host, ['9.9.9.9'], 0), 1380);
    assert.equal(await detectMtu(hostWith({}, {}), [], 0), 1420);
  });

  it('stays below what a packet can be where the way is the loopback interface', async () => {
    const host = hostWith({ '127.0.0.1': { dev: 'lo' } }, { lo: 65_536 });
    assert.equal(await detectMtu(host, ['127.0.0.1'], 0), 65_455);
  });
});

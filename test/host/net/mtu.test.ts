import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { detectMtu } from '../../../src/host/net/mtu.js';
import { FakeCommands } from './fake-commands.js';

/** The MTUs of the ways and of the links of a host. */
function hostWith(
  ways: Readonly<Record<string, { dev: string; mtu?: number }>>,
  links: Readonly<Record<string, number>>,
) {
  const tell = (target: string) => {
    const way = ways[target];
    return way && JSON.stringify([{ dev: way.dev, metrics: way.mtu === undefined ? [] : [{ mtu: way.mtu }] }]);
  };
  return new FakeCommands((words, input) => {
    if (words.includes('-batch')) {
      const targets = input.split('\n').map((line) => line.replace('route get ', '').replace(/ mark .*/, ' mark'));
      return targets.map((target) => tell(target) ?? '').join('\n');
    }
    if (words.includes('default')) return tell('default') ?? '[]';
    const mtu = links[words.at(-1)!];
    return mtu === undefined ? { status: 1, stderr: 'no such device' } : JSON.stringify([{ mtu }]);
  });
}

describe('detectMtu', () => {
  it('takes the narrowest way to an endpoint, less 80 bytes', async () => {
    const host = hostWith(
      { '1.1.1.1': { dev: 'eth0' }, '2.2.2.2': { dev: 'ppp0' }, '::1': { dev: 'eth0' } },
      { eth0: 1500, ppp0: 1492 },
    );
    assert.equal(await detectMtu(host, ['1.1.1.1', '2.2.2.2', '::1'], 0, 'wg9'), 1412);
  });

  it('looks past the ways into the tunnel itself, which are not there yet when it comes up', async () => {
    const commands = new FakeCommands((words, input) => {
      if (words.includes('-batch'))
        return `${JSON.stringify([{ dst: '1.1.1.1', dev: 'wg0' }])}\n`.repeat(input.split('\n').length - 1);
      const matching = [
        { dst: 'default', dev: 'eth0' },
        { dst: '1.0.0.0/8', dev: 'ppp0', metric: 7 },
        { dst: '1.0.0.0/8', dev: 'eth0', metric: 9 },
        { dst: '1.1.0.0/16', dev: 'wg0' },
      ];
      if (words.includes('match')) return JSON.stringify(matching);
      return JSON.stringify([{ mtu: words.at(-1) === 'ppp0' ? 1_400 : 1_500 }]);
    });

    assert.equal(await detectMtu(commands, ['1.1.1.1'], 0, 'wg0'), 1_320);
  });

  it('believes the route before the link', async () => {
    const host = hostWith({ '1.1.1.1': { dev: 'eth0', mtu: 1400 } }, { eth0: 1500 });
    assert.equal(await detectMtu(host, ['1.1.1.1'], 0, 'wg9'), 1320);
  });

  it('queries the way of marked datagrams', async () => {
    const host = hostWith({ '1.1.1.1': { dev: 'wg0' }, '1.1.1.1 mark': { dev: 'eth0' } }, { wg0: 1420, eth0: 1500 });
    assert.equal(await detectMtu(host, ['1.1.1.1'], 51_820, 'wg9'), 1420);
  });

  it('takes the default route without endpoints that can be reached, and Ethernet without that', async () => {
    const host = hostWith({ default: { dev: 'wlan0' } }, { wlan0: 1460 });
    assert.equal(await detectMtu(host, [], 0, 'wg9'), 1380);
    assert.equal(await detectMtu(host, ['9.9.9.9'], 0, 'wg9'), 1380);
    assert.equal(await detectMtu(hostWith({}, {}), [], 0, 'wg9'), 1420);
  });

  it('runs one query for all endpoints, and one for each link', async () => {
    const endpoints = Array.from({ length: 1_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const host = hostWith(Object.fromEntries(endpoints.map((text) => [text, { dev: 'eth0' }])), { eth0: 1500 });

    assert.equal(await detectMtu(host, [...endpoints, ...endpoints], 0, 'wg9'), 1420);
    assert.equal(host.said.length, 2);
  });

  it('is that of wg-quick where the way is the loopback interface, which claims a byte more than a packet can have', async () => {
    const host = hostWith({ '127.0.0.1': { dev: 'lo' } }, { lo: 65_536 });
    assert.equal(await detectMtu(host, ['127.0.0.1'], 0, 'wg9'), 65_456);
  });
});

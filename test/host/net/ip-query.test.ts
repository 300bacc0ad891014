import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  isTableEmpty,
  queryAddresses,
  queryDefaultWay,
  queryMtu,
  queryRoutes,
  queryRules,
  queryWays,
} from '../../../src/host/net/ip-query.js';
import { FakeCommands } from './fake-commands.js';

/** The output of iproute2 6.1. */
const ADDRESSES =
  '[{"ifindex":3,"ifname":"wg0","mtu":1400,"addr_info":[{"family":"inet","local":"10.0.0.1","prefixlen":24,"scope":"global"},' +
  '{"family":"inet","local":"10.0.0.9","address":"10.3.3.3","prefixlen":32,"scope":"global"},' +
  '{"family":"inet6","local":"fd00::1","prefixlen":64,"scope":"global","tentative":true},' +
  '{"family":"inet6","local":"fe80::441:3aff:fe70:27a9","prefixlen":64,"scope":"link"},{}]}]';
const ROUTES =
  '[{"dst":"5.5.5.0/24","table":"51820","scope":"253","flags":[]},{"dst":"default","gateway":"10.0.0.2","flags":[],"metrics":[{"mtu":1300}]},' +
  '{"dst":"1.2.3.4","scope":"253","flags":[]},{"type":"unreachable","dst":"9.9.9.0/24","flags":[]},' +
  '{"type":"local","dst":"10.0.0.1","table":"255","flags":[]}]';
const RULES =
  '[{"priority":0,"src":"all","table":"255"},{"priority":32764,"src":"all","table":"254","suppress_prefixlen":0},' +
  '{"priority":32765,"not":null,"src":"all","fwmark":"0xca6c","table":"51820"},' +
  '{"priority":32766,"src":"10.1.0.0","srclen":16,"table":"254"},{"priority":32767,"src":"all","iif":"eth0","table":"253"}]';
const WAY =
  '[{"dst":"8.8.8.8","gateway":"10.0.0.2","dev":"eth0","prefsrc":"10.0.0.1","flags":[],"cache":[],"metrics":[{"mtu":1300}]}]';

describe('what ip -j prints', () => {
  it('returns the addresses of an interface, and marks those that the kernel made', async () => {
    const addresses = await queryAddresses(new FakeCommands(() => ADDRESSES), 'wg0');

    assert.deepEqual(
      addresses.map(({ address, length, isLinkLocal }) => [address, length, isLinkLocal]),
      [
        ['10.0.0.1', 24, false],
        ['10.0.0.9', 32, false],
        ['fd00::1', 64, false],
        ['fe80::441:3aff:fe70:27a9', 64, true],
      ],
    );
  });

  it('returns unicast routes of all tables but the local one', async () => {
    const routes = await queryRoutes(new FakeCommands(() => ROUTES), 'wg0', 4);

    assert.deepEqual(
      routes.map(({ prefix, table }) => [prefix.address, prefix.length, table]),
      [
        ['5.5.5.0', 24, 51820],
        ['0.0.0.0', 0, 254],
        ['1.2.3.4', 32, 254],
      ],
    );
  });

  it('returns rules, and whether they match nothing but the mark', async () => {
    const rules = await queryRules(new FakeCommands(() => RULES), 4);

    assert.deepEqual(
      rules.map(({ isForEverySource }) => isForEverySource),
      [true, true, true, false, false],
    );
    assert.deepEqual(rules[1]?.suppressPrefixLength, 0);
    assert.deepEqual([rules[2]?.isInverted, rules[2]?.mark, rules[2]?.table], [true, 51820, 51820]);
  });

  it('returns the way to an address, for datagrams with a mark', async () => {
    const commands = new FakeCommands(() => WAY);

    assert.deepEqual(await queryWays(commands, ['8.8.8.8', '::1'], 7), [
      { destination: '8.8.8.8', mtu: 1300, device: 'eth0' },
    ]);
    assert.equal(commands.inputs[0], 'route get 8.8.8.8 mark 7\nroute get ::1 mark 7\n');
    assert.deepEqual(await queryDefaultWay(commands), { destination: '8.8.8.8', mtu: 1300, device: 'eth0' });
  });

  it('is nothing where ip fails, even in the middle of its output', async () => {
    for (const answer of [{ status: 1, stderr: 'no' }, '', '[]', '[{}]', { status: 2, stdout: '[', stderr: '' }]) {
      const commands = new FakeCommands(() => answer);

      assert.deepEqual(await queryAddresses(commands, 'wg0'), []);
      assert.deepEqual(await queryRules(commands, 6), []);
      assert.equal(await queryMtu(commands, 'wg0'), undefined);
      assert.deepEqual(await queryWays(commands, ['::1'], 0), []);
      assert.equal(await queryDefaultWay(commands), undefined);
      assert.ok(await isTableEmpty(commands, 51820, 4));
    }
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MAIN_TABLE } from '../../../src/host/net/ip-query.js';
import { formatPrefix, parsePrefix } from '../../../src/host/net/prefix.js';
import { changeRoutes, mostSpecificFirst, uncovered } from '../../../src/host/net/routes.js';
import { FakeCommands } from './fake-commands.js';

describe('mostSpecificFirst', () => {
  it('sorts by prefix length, then as sort -r does', () => {
    assert.deepEqual(
      sorted('0.0.0.0/0', '10.0.0.0/8', '::/0', 'fd00::/64', '10.0.0.1/32', '10.1.0.0/16', '10.0.0.0/16'),
      ['fd00::/64', '10.0.0.1/32', '10.1.0.0/16', '10.0.0.0/16', '10.0.0.0/8', '::/0', '0.0.0.0/0'],
    );
  });
});

describe('uncovered', () => {
  it('leaves out what a route of the main table covers', () => {
    const routes = [
      { prefix: parsePrefix('10.0.0.0/24')!, table: MAIN_TABLE, isKernels: true },
      { prefix: parsePrefix('10.2.0.0/16')!, table: 1234, isKernels: false },
    ];

    const left = uncovered(prefixes('10.0.0.0/24', '10.0.0.7/32', '10.0.0.0/16', '10.2.0.1/32', 'fd00::/64'), routes);

    assert.deepEqual(left.map(formatPrefix), ['10.0.0.0/16', '10.2.0.1/32', 'fd00::/64']);
  });
});

describe('changeRoutes', () => {
  it('echoes every route, and starts one process per family', async () => {
    const commands = new FakeCommands();

    await changeRoutes(commands, 'add', 'wg0', prefixes('10.0.0.0/8', 'fd00::/64', '10.9.0.0/16'), '77');

    assert.deepEqual(commands.echoes, [
      'ip -4 route add 10.0.0.0/8 dev wg0 table 77',
      'ip -4 route add 10.9.0.0/16 dev wg0 table 77',
      'ip -6 route add fd00::/64 dev wg0 table 77',
    ]);
    assert.deepEqual(commands.said, ['ip -4 -batch -', 'ip -6 -batch -']);
    assert.equal(commands.inputs[0], 'route add 10.0.0.0/8 dev wg0 table 77\nroute add 10.9.0.0/16 dev wg0 table 77\n');
  });

  it('names the route that was refused', async () => {
    const stderr = 'RTNETLINK answers: File exists\nCommand failed -:2\n';
    const commands = new FakeCommands(() => ({ status: 1, stderr }));

    await assert.rejects(changeRoutes(commands, 'add', 'wg0', prefixes('10.0.0.0/8', '10.9.0.0/16')), {
      code: 'ERR_COMMAND_FAILED',
      message: 'ip -4 route add 10.9.0.0/16 dev wg0: RTNETLINK answers: File exists',
    });
  });

  it('does nothing for no routes', async () => {
    const commands = new FakeCommands();
    await changeRoutes(commands, 'delete', 'wg0', []);
    assert.deepEqual(commands.said, []);
  });
});

function prefixes(...texts: string[]) {
  return texts.map((text) => parsePrefix(text)!);
}

function sorted(...texts: string[]): string[] {
  return mostSpecificFirst(prefixes(...texts)).map(formatPrefix);
}

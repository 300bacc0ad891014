import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { parseDefaultGateway } from '../../../src/mesh/port-mapping/default-gateway.js';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const LAN = 'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0';
const route = (gateway: string, metric: number, flags = '0003'): string =>
  `eth0\t00000000\t${gateway}\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0`;
const tableOf = (...lines: string[]): string => `${[HEAD, ...lines].join('\n')}\n`;

describe('parseDefaultGateway', () => {
  it('finds the router of the default route, in the byte order of the machine', () => {
    const table = tableOf(LAN, route('0101A8C0', 100));
    assert.deepEqual(parseDefaultGateway(table, true), Uint8Array.of(192, 168, 1, 1));
    assert.deepEqual(parseDefaultGateway(table, false), Uint8Array.of(1, 1, 168, 192));
  });

  it('takes the lowest metric, and the first of equal ones', () => {
    const table = tableOf(route('0101A8C0', 600), route('0201A8C0', 100), route('0301A8C0', 100));
    assert.deepEqual(parseDefaultGateway(table, true), Uint8Array.of(192, 168, 1, 2));
  });

  it('finds none on other routes, on a route without a router, and on one that is down', () => {
    const halves = 'tun0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0';
    assert.equal(parseDefaultGateway(tableOf(LAN, halves), true), undefined);
    assert.equal(parseDefaultGateway(tableOf(route('00000000', 0, '0001')), true), undefined);
    assert.equal(parseDefaultGateway(tableOf(route('0101A8C0', 0, '0002')), true), undefined);
    assert.equal(parseDefaultGateway('', true), undefined);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        parseDefaultGateway(text);
      }),
    );
  });
});

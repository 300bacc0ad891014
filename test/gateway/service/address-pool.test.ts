import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { formatIpPrefix } from '../../../src/control/ip-text.js';
import { freeAddresses, gatewayAddresses } from '../../../src/gateway/service/address-pool.js';
import { SETTINGS } from '../../server/server-lab.js';

describe('addresses of devices', () => {
  it('begin behind the gateway, which has the first of each network', () => {
    assert.deepEqual(gatewayAddresses(SETTINGS).map(formatIpPrefix), ['10.77.0.1/24', 'fd77::1/64']);
    assert.deepEqual(freeAddresses(SETTINGS, []), ['10.77.0.2', 'fd77::2']);
  });

  it('are never given twice, and used up in the end', () => {
    const settings = { ...SETTINGS, subnet4: '10.77.0.8/29' };
    const used: string[] = [];
    for (let i = 0; i < 5; i++) used.push(...freeAddresses(settings, used));
    assert.deepEqual(new Set(used).size, used.length);
    assert.ok(!used.includes('10.77.0.15'), 'the broadcast address is no device');
    assert.throws(() => freeAddresses(settings, used), { code: 'ERR_SUBNET_FULL' });
  });

  it('keep off those that are written in another way, and mind none of another network', () => {
    const used = ['fd77:0:0::0002', '10.77.1.3', 'fd78::3', '10.77.0.4'];
    assert.deepEqual(freeAddresses(SETTINGS, used), ['10.77.0.3', 'fd77::3']);
  });

  it('fill gaps that others left', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 2, max: 254 }), { maxLength: 200 }), (taken) => {
        const [address] = freeAddresses(
          SETTINGS,
          taken.map((host) => `10.77.0.${host}`),
        );
        const host = Number(address!.split('.')[3]);
        assert.ok(!taken.includes(host) && host >= 2 && host <= 254);
      }),
    );
  });
});

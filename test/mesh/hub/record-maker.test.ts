import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { NodeDevice } from '../../../src/mesh/hub/node-devices.js';
import { isToBeSigned, RecordMaker, wantedFields } from '../../../src/mesh/hub/record-maker.js';
import { SigningKey } from '../../../src/mesh/records/signing.js';

const DAY_MS = 86_400_000;

describe('RecordMaker', () => {
  const maker = () => new RecordMaker(Buffer.alloc(16).toString('base64'), SigningKey.generate());
  const device = deviceOf({ routes: [] });

  it('makes a record of seven days, and makes it anew when half of them have passed', () => {
    const records = maker();
    const first = records.recordOf(device, 1, 0)!;
    assert.equal(first.notAfterUnixMs, 7 * DAY_MS);
    assert.deepEqual(records.recordOf(device, 2, 3 * DAY_MS), first);
    assert.equal(records.isDue('a', 3 * DAY_MS), false);
    assert.equal(records.isDue('a', 4 * DAY_MS), true);
    assert.equal(records.recordOf(device, 2, 4 * DAY_MS)!.notAfterUnixMs, 11 * DAY_MS);
  });

  it('makes a record anew that was made while the clock was ahead: it would last for years', () => {
    const records = maker();
    records.recordOf(device, 1, 1_000 * DAY_MS);
    assert.equal(records.isDue('a', 10 * DAY_MS), true);
    assert.equal(records.recordOf(device, 1, 10 * DAY_MS)!.notAfterUnixMs, 17 * DAY_MS);
    assert.equal(records.isDue('a', 10 * DAY_MS - 60_000), false, 'a clock may be corrected a little');
  });
});

describe('isToBeSigned', () => {
  it('is true for a node that nobody has signed, and for one that has changed since', () => {
    const device = deviceOf({ routes: [] });
    const signed = signedFor(device, 365);
    assert.equal(isToBeSigned(device, 0), true);
    assert.equal(isToBeSigned(deviceOf({ routes: [], signed }), 0), false);
    assert.equal(isToBeSigned(deviceOf({ routes: ['192.168.1.0/24'], signed }), 0), true);
  });

  it('is true in the last 30 days of a signature, and after its end', () => {
    const device = deviceOf({ routes: [], signed: signedFor(deviceOf({ routes: [] }), 365) });
    assert.equal(isToBeSigned(device, 334 * DAY_MS), false);
    assert.equal(isToBeSigned(device, 336 * DAY_MS), true);
    assert.equal(isToBeSigned(device, 400 * DAY_MS), true);
  });
});

function signedFor(device: NodeDevice, days: number): object {
  return { ...wantedFields(device), notAfterUnixMs: days * DAY_MS, serial: 1, signature: '' };
}

function deviceOf(node: object): NodeDevice {
  return { id: 'a', name: 'a', addresses: ['10.1.0.2'], tags: [], publicKey: '', node } as unknown as NodeDevice;
}

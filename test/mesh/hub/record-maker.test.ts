import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { NodeDevice } from '../../../src/mesh/hub/node-devices.js';
import { isToBeSigned, wantedFields } from '../../../src/mesh/hub/record-maker.js';

const DAY_MS = 86_400_000;

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

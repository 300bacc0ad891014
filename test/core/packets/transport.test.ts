import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';
import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { paddedLength, writeTransportData } from '../../../src/core/packets/transport.js';
import { Keypair } from '../../../src/core/session/keypair.js';

describe('paddedLength', () => {
  it('rounds up to a multiple of 16 (§5.4.6)', () => {
    for (const [length, padded] of [
      [0, 0],
      [1, 16],
      [16, 16],
      [17, 32],
      [1_409, 1_420],
      [1_420, 1_420],
    ] as const)
      assert.equal(paddedLength(length, 1_420), padded, `${length}`);
  });

  it('pads only the last part of a packet that is longer than the MTU', () => {
    assert.equal(paddedLength(1_421, 1_420), 1_420 + 16);
    assert.equal(paddedLength(2_840, 1_420), 2_840);
  });

  it('divides by no MTU of 0', () => {
    assert.equal(paddedLength(17, 0), 32);
  });

  it('never shortens, adds at most 15, and never makes a packet exceed the MTU', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 65_535 }), (length, mtu) => {
        const padded = paddedLength(length, mtu);
        assert.ok(padded >= length && padded <= length + 15);
        if (length <= mtu) assert.ok(padded <= mtu);
      }),
    );
  });
});

describe('writeTransportData', () => {
  it('writes type, receiver index, counter and zero padding (§5.4.6)', () => {
    const batch = new PacketBatch(1, 256);
    batch.bytes.fill(0xee);
    const row = batch.appendRow(5);
    batch.bytes.set([1, 2, 3, 4, 5], batch.offset[row]);
    const keypair = keypairTo(0x8000_0001 | 0);
    keypair.sendHigh = 0x0102_0304;
    keypair.sendLow = 0xfffe_fdfc;

    const wireBytes = writeTransportData(batch, row, keypair, 1_420);

    const message = batch.bytes.subarray(batch.offset[row], batch.offset[row] + batch.length[row]);
    assert.equal(
      Buffer.from(message).toString('hex'),
      `04000000${'01000080'}${'fcfdfeff04030201'}${'0102030405'}${'00'.repeat(11)}`,
    );
    assert.equal(wireBytes, message.length + 16);
    assert.deepEqual([keypair.sendHigh, keypair.sendLow], [0x0102_0304, 0xfffe_fdfd]);
    assert.equal(batch.keySlot[row], 7);
  });
});

function keypairTo(remoteIndex: number): Keypair {
  return new Keypair({
    peer: {},
    keySlot: 7,
    localIndex: 1,
    remoteIndex,
    isInitiator: true,
    winsTie: true,
    createdMs: 0,
  });
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { NativeAead } from '../../src/crypto/native-aead.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { describeAead } from '../conformance/aead.js';

const addon = loadAddon();
const ROWS = 250;
const SLOTS = 9;
const ROUNDS = 60;
const MAX_MESSAGE_BYTES = 1_500;
const HEADER_BYTES = 16;

describeAead('NativeAead', () => new NativeAead(addon));
describeAead('NativeAead with four threads', () => new NativeAead(addon, 4));

describe('NativeAead with several threads', () => {
  for (const threads of [2, 4, 7])
    it(`makes of every batch what one thread makes of it, with ${threads}`, () => {
      const random = new SeededRandom(threads);
      const [alone, shared] = [new NativeAead(addon), new NativeAead(addon, threads)];
      for (let i = 0; i < SLOTS; i++) {
        const key = random.bytes(32);
        alone.installKeys(key, key);
        shared.installKeys(key, key);
      }
      for (let round = 0; round < ROUNDS; round++) {
        const batch = makeBatch(random);
        const twin = copyOf(batch);
        alone.seal(batch);
        shared.seal(twin);
        assertSame(twin, batch);
        damageSome(random, batch, twin);
        alone.open(batch);
        shared.open(twin);
        assertSame(twin, batch);
      }
    });

  it('refuses more threads than it can have', () => {
    assert.throws(() => new NativeAead(addon, 66), RangeError);
  });
});

/** Messages of all sizes and keys; some rows are not to be touched. */
function makeBatch(random: SeededRandom): PacketBatch {
  const batch = new PacketBatch(ROWS, ROWS * (MAX_MESSAGE_BYTES + 64));
  for (let i = 0; i < ROWS; i++) {
    const message = random.bytes(HEADER_BYTES + random.integer(MAX_MESSAGE_BYTES - HEADER_BYTES));
    const row = batch.appendRow(message.length);
    batch.bytes.set(message, batch.offset[row]);
    batch.keySlot[row] = random.integer(SLOTS + 1) - 1;
    if (random.integer(10) === 0) batch.verdict[row] = Verdict.Malformed;
  }
  return batch;
}

function copyOf(batch: PacketBatch): PacketBatch {
  const copy = new PacketBatch(batch.capacity, batch.bytes.length);
  copy.count = batch.count;
  for (const column of ['bytes', 'offset', 'length', 'verdict', 'keySlot'] as const) copy[column].set(batch[column]);
  return copy;
}

function damageSome(random: SeededRandom, ...batches: readonly PacketBatch[]): void {
  for (let row = 0; row < ROWS; row++)
    if (random.integer(5) === 0)
      for (const { bytes, offset, length } of batches) bytes[offset[row] + length[row] - 1] ^= 1;
}

function assertSame(actual: PacketBatch, expected: PacketBatch): void {
  for (const column of ['verdict', 'length', 'bytes'] as const)
    assert.ok(Buffer.compare(bytesOf(actual[column]), bytesOf(expected[column])) === 0, column);
}

function bytesOf(column: Uint8Array | Uint32Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

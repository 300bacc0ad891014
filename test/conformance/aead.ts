import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import type { AeadStage } from '../../src/core/ports.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';

const HEADER_BYTES = 16;
const TAG_BYTES = 16;
const NO_KEY = -1;

/** Tests the contract of the `AeadStage` port. */
export function describeAead(name: string, makeStage: () => AeadStage): void {
  describe(`${name} as AeadStage`, () => {
    it('seals what follows the header, with the counter as nonce, and appends the tag (§5.4.6)', () => {
      for (const length of LENGTHS) {
        const { stage, batch, keys } = arrange(makeStage(), [length]);
        const expected = sealed(keys.send, batch, 0);

        stage.seal(batch);

        assert.deepEqual(rowBytes(batch, 0), expected, `${length} bytes`);
        assert.equal(batch.length[0], HEADER_BYTES + length + TAG_BYTES);
      }
    });

    it('opens in place what was sealed, and leaves offset and length as they are', () => {
      for (const length of LENGTHS) {
        const { stage, batch, keys } = arrange(makeStage(), [length]);
        const plaintext = rowBytes(batch, 0);
        put(batch, 0, sealed(keys.receive, batch, 0));
        const at = batch.offset[0];

        stage.open(batch);

        assert.equal(batch.verdict[0], Verdict.Pass);
        assert.deepEqual([batch.offset[0], batch.length[0]], [at, HEADER_BYTES + length + TAG_BYTES]);
        assert.deepEqual(rowBytes(batch, 0).subarray(0, HEADER_BYTES + length), plaintext);
      }
    });

    it('gives verdict BadTag for every single bit that is wrong, in text, tag and counter', () => {
      const { stage, batch, keys } = arrange(makeStage(), [24]);
      const good = sealed(keys.receive, batch, 0);
      for (let bit = 8 * 8; bit < 8 * good.length; bit++) {
        const bad = good.slice();
        bad[bit >> 3]! ^= 1 << (bit & 7);
        put(batch, 0, bad);
        batch.verdict[0] = Verdict.Pass;
        stage.open(batch);
        assert.equal(batch.verdict[0], Verdict.BadTag, `bit ${bit}`);
      }
    });

    it('gives verdict BadTag for a message that is too short to have a tag', () => {
      const { stage, batch } = arrange(makeStage(), [0]);
      for (let length = 0; length < HEADER_BYTES + TAG_BYTES; length++) {
        batch.length[0] = length;
        batch.verdict[0] = Verdict.Pass;
        stage.open(batch);
        assert.equal(batch.verdict[0], Verdict.BadTag, `${length} bytes`);
      }
    });

    it('leaves rows alone that do not pass or have no key', () => {
      const { stage, batch } = arrange(makeStage(), [40, 40, 40]);
      batch.verdict[0] = Verdict.Replayed;
      batch.keySlot[0] = 1_000;
      batch.keySlot[1] = NO_KEY;
      const before = [0, 1].map((row) => rowBytes(batch, row));

      stage.seal(batch);
      assert.deepEqual(
        [0, 1].map((row) => rowBytes(batch, row)),
        before,
      );
      assert.equal(batch.length[2], HEADER_BYTES + 40 + TAG_BYTES);

      stage.open(batch);
      assert.deepEqual(
        [0, 1].map((row) => rowBytes(batch, row)),
        before,
      );
      assert.deepEqual([...batch.verdict.subarray(0, 3)], [Verdict.Replayed, Verdict.Pass, Verdict.BadTag]);
    });

    it('keeps the keys of many slots apart, in any order of use, and goes on after a bad row', () => {
      const random = new SeededRandom(5);
      const stage = makeStage();
      const slots = Array.from({ length: 200 }, () => install(stage, random));
      const batch = batchOf(
        random,
        Array.from({ length: 300 }, () => random.integer(200)),
      );
      const owners = Array.from({ length: batch.count }, () => slots[random.integer(slots.length)]!);
      const plaintexts = owners.map((_, row) => rowBytes(batch, row));
      for (const [row, { slot, keys }] of owners.entries()) {
        const bytes = sealed(keys.receive, batch, row);
        if (row % 3 === 0) bytes[20]! ^= 1;
        put(batch, row, bytes);
        batch.keySlot[row] = slot;
      }

      stage.open(batch);

      for (const [row, plaintext] of plaintexts.entries()) {
        assert.equal(batch.verdict[row], row % 3 === 0 ? Verdict.BadTag : Verdict.Pass, `row ${row}`);
        if (row % 3 !== 0) assert.deepEqual(rowBytes(batch, row).subarray(0, plaintext.length), plaintext);
      }
    });

    it('copies keys, so that the caller may clear its own', () => {
      const { stage, batch, keys } = arrange(makeStage(), [10]);
      const expected = sealed(keys.send, batch, 0);
      keys.send.fill(0);
      stage.seal(batch);
      assert.deepEqual(rowBytes(batch, 0), expected);
    });

    it('never uses a key again after its slot was wiped, though the slot is', () => {
      const random = new SeededRandom(6);
      const stage = makeStage();
      const first = install(stage, random);
      const batch = batchOf(random, [50]);
      batch.keySlot[0] = first.slot;
      put(batch, 0, sealed(first.keys.receive, batch, 0));
      stage.open(batch);
      assert.equal(batch.verdict[0], Verdict.Pass, 'the key is in the cipher now');

      stage.wipeKeys(first.slot);
      const second = install(stage, random);
      assert.notEqual(second.slot, first.slot, 'handles are not used again');
      const again = batchOf(random, [50]);
      again.keySlot[0] = second.slot;
      put(again, 0, sealed(first.keys.receive, again, 0));
      stage.open(again);
      assert.equal(again.verdict[0], Verdict.BadTag);
    });

    it('refuses a row that outlived its keys, though other keys are in their place', () => {
      const random = new SeededRandom(7);
      const stage = makeStage();
      const slots = new Set<number>();
      for (let i = 0; i < 2_000; i++) {
        const { slot } = install(stage, random);
        assert.ok(slot >= 0 && slot <= 0x7fff_ffff);
        slots.add(slot);
        stage.wipeKeys(slot);
      }
      assert.equal(slots.size, 2_000);

      install(stage, random);
      for (const slot of slots) {
        const batch = batchOf(random, [50]);
        batch.keySlot[0] = slot;
        const before = batch.bytes.slice();
        assert.throws(() => stage.seal(batch), RangeError);
        assert.throws(() => stage.open(batch), RangeError);
        assert.throws(() => stage.wipeKeys(slot), RangeError);
        assert.deepEqual(batch.bytes, before);
      }
    });

    it('refuses a slot without keys, and a second wipe', () => {
      const { stage, batch, slot } = arrange(makeStage(), [10]);
      stage.wipeKeys(slot);
      assert.throws(() => stage.wipeKeys(slot), RangeError);
      assert.throws(() => stage.seal(batch), RangeError);
      assert.throws(() => stage.open(batch), RangeError);
      batch.keySlot[0] = 1_000_000;
      assert.throws(() => stage.seal(batch), RangeError);
    });

    it('refuses a row that lies outside of the arena, or has no room for its tag', () => {
      const { stage, batch } = arrange(makeStage(), [10]);
      const arenaBytes = batch.bytes.length;
      for (const [offset, length] of [
        [arenaBytes - 20, 21],
        [arenaBytes, 32],
        [0xffff_fff0, 32],
        [0, 0xffff_fff0],
      ] as const) {
        batch.offset[0] = offset;
        batch.length[0] = length;
        assert.throws(() => stage.seal(batch), RangeError, `seal ${offset}, ${length}`);
        assert.throws(() => stage.open(batch), RangeError, `open ${offset}, ${length}`);
      }
      batch.offset[0] = arenaBytes - 47;
      batch.length[0] = 32;
      assert.throws(() => stage.seal(batch), RangeError, 'one byte too few for the tag');
      batch.length[0] = 15;
      assert.throws(() => stage.seal(batch), RangeError, 'no whole header');
    });
  });
}

const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 255, 1_424, 4_031, 4_032, 4_033, 4_096, 8_128, 8_129, 9_000, 65_000];

interface Keys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

interface Slot {
  readonly slot: number;
  readonly keys: Keys;
}

interface Arrangement extends Slot {
  readonly stage: AeadStage;
  readonly batch: PacketBatch;
}

/** A stage with one slot, and rows of the given lengths of text that use it. */
function arrange(stage: AeadStage, lengths: readonly number[]): Arrangement {
  const random = new SeededRandom(lengths.length);
  const slot = install(stage, random);
  const batch = batchOf(random, lengths);
  batch.keySlot.fill(slot.slot, 0, lengths.length);
  return { stage, batch, ...slot };
}

function install(stage: AeadStage, random: SeededRandom): Slot {
  const keys = { send: randomBytes(random, 32), receive: randomBytes(random, 32) };
  return { slot: stage.installKeys(keys.send, keys.receive), keys };
}

/** Rows of a header and text, with room for a tag behind. */
function batchOf(random: SeededRandom, lengths: readonly number[]): PacketBatch {
  const batch = new PacketBatch(
    lengths.length,
    lengths.reduce((sum, length) => sum + length + 96, 0),
  );
  for (const length of lengths) {
    const row = batch.appendRow(HEADER_BYTES + length);
    put(batch, row, randomBytes(random, HEADER_BYTES + length));
  }
  return batch;
}

function put(batch: PacketBatch, row: number, bytes: Uint8Array): void {
  batch.bytes.set(bytes, batch.offset[row]);
  batch.length[row] = bytes.length;
}

function rowBytes(batch: PacketBatch, row: number): Uint8Array {
  return batch.bytes.slice(batch.offset[row], batch.offset[row] + batch.length[row]);
}

/** The message that the row's header and text make. Source: RFC 8439 §2.8. */
function sealed(key: Uint8Array, batch: PacketBatch, row: number): Uint8Array {
  const message = rowBytes(batch, row);
  const nonce = new Uint8Array(12);
  nonce.set(message.subarray(8, 16), 4);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  const text = cipher.update(message.subarray(HEADER_BYTES));
  cipher.final();
  return new Uint8Array(Buffer.concat([message.subarray(0, HEADER_BYTES), text, cipher.getAuthTag()]));
}

function randomBytes(random: SeededRandom, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  random.fill(bytes);
  return bytes;
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';
import { NativeBatches } from '../../src/addon/native-batches.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { NativeSegmenter } from '../../src/host/native-segmenter.js';
import { BLOCK_BYTES } from '../../src/netstack/block-pool.js';
import { JsSegmenter } from '../../src/netstack/segments/js-segmenter.js';
import { describeSegmenter, randomSample } from '../conformance/segmenter.js';

const addon = loadAddon();
const RANDOM_RUNS = 500;
/** IPv4 and TCP without options. */
const HEADER_BYTES = 40;
const MIB = 1 << 20;

describeSegmenter('NativeSegmenter', () => new NativeSegmenter(addon));

describe('both segmenters', () => {
  it('make the same batch of the same runs, byte by byte', () => {
    const [native, js] = [new NativeSegmenter(addon), new JsSegmenter()];
    const [a, b] = [new PacketBatch(64, 1 << 17), new PacketBatch(64, 1 << 17)];
    for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
      const { run } = randomSample(seed);
      assert.equal(native.split(run, a), js.split(run, b), `seed ${seed}`);
      assert.equal(a.count, b.count, `seed ${seed}`);
      assert.deepEqual(a.bytes, b.bytes, `seed ${seed}`);
      assert.deepEqual([a.offset, a.length, a.verdict, a.keySlot], [b.offset, b.length, b.verdict, b.keySlot]);
      if (a.count < 40) continue;
      a.clear();
      b.clear();
    }
  });
});

describe('splitSegments', () => {
  const batch = new PacketBatch(2_048, 2 * MIB);
  const handle = new NativeBatches(addon).of(batch);
  const blocks = Array.from({ length: 100 }, () => new Uint8Array(BLOCK_BYTES));
  const header = new Uint8Array(100);
  header[0] = 0x45;
  header[32] = 0x50;
  const split = (change: {
    row?: number;
    header?: Uint8Array;
    headerBytes?: number;
    segmentBytes?: number;
    blocks?: readonly unknown[];
    first?: number;
    at?: number;
    payloadBytes?: number;
  }): number => {
    const all = { row: 0, header, headerBytes: HEADER_BYTES, segmentBytes: 1_000, first: 0, at: 0, ...change };
    const pieces = (change.blocks ?? blocks) as Uint8Array[];
    const payloadBytes = change.payloadBytes ?? 5_000;
    const { row, headerBytes, segmentBytes, first, at } = all;
    return addon.splitSegments(handle, row, all.header, headerBytes, segmentBytes, pieces, first, at, payloadBytes);
  };

  it('takes at most the blocks of 1 MiB in one call, in whole segments', () => {
    const rows = split({ payloadBytes: 100 * BLOCK_BYTES });
    assert.ok(rows * 1_000 >= MIB && rows * 1_000 <= 66 * BLOCK_BYTES, `${rows} rows`);
    for (let row = 0; row < rows; row++) assert.equal(batch.length[row], HEADER_BYTES + 1_000);
  });

  it('refuses headers and lengths that do not fit each other', () => {
    assert.equal(split({}), 5);
    const shortTcp = Uint8Array.from(header);
    shortTcp[32] = 0x40;
    const ipv6 = Uint8Array.from(header);
    ipv6[0] = 0x60;
    for (const wrong of [
      { headerBytes: 0 },
      { headerBytes: 39 },
      { headerBytes: 44 },
      { headerBytes: 101 },
      { header: new Uint8Array(20) },
      { header: shortTcp },
      { header: ipv6 },
      { segmentBytes: 0 },
      { segmentBytes: 65_496 },
      { payloadBytes: 0 },
      { payloadBytes: 2 ** 31 },
      { at: BLOCK_BYTES },
      { at: 2 ** 32 - 1 },
      { blocks: [blocks[0], new Uint8Array(100)], payloadBytes: BLOCK_BYTES + 1 },
      { row: 2_049 },
    ])
      assert.throws(() => split(wrong), RangeError, JSON.stringify(wrong));
  });

  it('refuses blocks that are missing or no bytes', () => {
    assert.throws(() => split({ blocks: [] }), TypeError);
    assert.throws(() => split({ blocks: [new Uint16Array(100)] }), TypeError);
    assert.throws(() => split({ blocks: [blocks[0]], payloadBytes: BLOCK_BYTES + 1 }), TypeError);
    assert.throws(() => split({ first: 100 }), TypeError);
    assert.throws(() => split({ first: 2 ** 32 - 1 }), TypeError);
  });
});

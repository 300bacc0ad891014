import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { nodeEnvironment } from '../../src/host/node-environment.js';

const ASKED = 3_000;

describe('nodeEnvironment', () => {
  it('gives no random bytes twice, however they are asked for', () => {
    const seen = new Set<string>();
    for (let i = 0; i < ASKED; i++) {
      const bytes = new Uint8Array(16 + (i % 60));
      nodeEnvironment.random(bytes);
      for (let at = 0; at + 8 <= bytes.length; at += 8)
        seen.add(Buffer.from(bytes.subarray(at, at + 8)).toString('hex'));
    }
    const chunks = Array.from({ length: ASKED }, (_, i) => Math.floor((16 + (i % 60)) / 8)).reduce((a, b) => a + b);
    assert.equal(seen.size, chunks, 'each chunk of eight bytes is another one');
  });

  it('fills arrays of every length whole, a byte after the end excepted', () => {
    for (let length = 0; length <= 300; length++) {
      const around = new Uint8Array(length + 2);
      const isFilled = new Uint8Array(length);
      for (let round = 0; round < 20; round++) {
        nodeEnvironment.random(around.subarray(1, length + 1));
        for (let i = 0; i < length; i++) isFilled[i]! |= around[i + 1]!;
      }
      assert.ok(!isFilled.includes(0), `${length} bytes`);
      assert.deepEqual([around[0], around[length + 1]], [0, 0]);
    }
  });

  it('takes the time from the wall clock', () => {
    const before = Date.now();
    const told = nodeEnvironment.unixTimeMs();
    assert.ok(told >= before && told <= Date.now());
  });
});

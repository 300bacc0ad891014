import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { TimestampSource } from '../../src/core/timestamp-source.js';

const START_MS = 1_700_000_000_000;
const TAI64_LABEL_OF_1970 = 0x4000_0000_0000_000an;

describe('TimestampSource', () => {
  it('writes seconds with the label of TAI64 and nanoseconds (§5.4.2)', () => {
    const stamp = new TimestampSource(at(() => START_MS)).next();
    assert.equal(hex(stamp).slice(0, 16), (TAI64_LABEL_OF_1970 + 1_700_000_000n).toString(16));
  });

  it('whitens the nanoseconds to multiples of 2^24', () => {
    const source = new TimestampSource(at(() => START_MS + 123.456));
    for (let i = 0; i < 100; i++) assert.equal(hex(source.next()).slice(18), '000000');
  });

  it('never repeats a stamp while the clock stands still', () => {
    const source = new TimestampSource(at(() => START_MS));
    assertIncreasing(Array.from({ length: 1_000 }, () => hex(source.next())));
  });

  it('never goes back when the clock does (§5.1)', () => {
    let unixMs = START_MS;
    const source = new TimestampSource(at(() => unixMs));
    const stamps = [hex(source.next())];
    unixMs -= 86_400_000;
    for (let i = 0; i < 100; i++, unixMs += 10) stamps.push(hex(source.next()));
    unixMs = START_MS + 60_000;
    stamps.push(hex(source.next()));
    assertIncreasing(stamps);
    assert.equal(stamps.at(-1)?.slice(0, 16), (TAI64_LABEL_OF_1970 + 1_700_000_060n).toString(16));
  });
});

function at(unixTimeMs: () => number) {
  return { unixTimeMs, random: () => assert.fail('stamps need no randomness') };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function assertIncreasing(stamps: string[]): void {
  for (let i = 1; i < stamps.length; i++) assert.ok(stamps[i] > stamps[i - 1], `${stamps[i - 1]} then ${stamps[i]}`);
}

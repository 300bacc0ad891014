import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { TimestampSource } from '../../../src/core/handshake/timestamp-source.js';

const START_MS = 1_700_000_000_000;
const TAI64_LABEL_OF_1970 = 0x4000_0000_0000_000an;

describe('TimestampSource', () => {
  it('writes seconds with the label of TAI64 and nanoseconds (§5.4.2)', () => {
    const [stamp] = stamps(() => START_MS + 20, 1);
    assert.equal(stamp, `${(TAI64_LABEL_OF_1970 + 1_700_000_000n).toString(16)}01000000`);
  });

  it('whitens the nanoseconds to multiples of 2^24, and keeps them below a second', () => {
    for (let ms = 0; ms < 1_000; ms += 7) {
      const nanoseconds = Number.parseInt(stamps(() => START_MS + ms, 1)[0].slice(16), 16);
      assert.equal(nanoseconds % 2 ** 24, 0);
      assert.ok(nanoseconds <= ms * 1e6 && nanoseconds > ms * 1e6 - 2 ** 24, `${nanoseconds} for ${ms} ms`);
    }
  });

  it('never repeats a stamp of a peer while the clock stands still', () => {
    assertIncreasing(stamps(() => START_MS, 1_000));
  });

  it('never goes back when the clock does (§5.1)', () => {
    let calls = 0;
    const clock = () => START_MS + (calls++ === 0 ? 0 : -86_400_000 + calls * 10);
    assertIncreasing(stamps(clock, 100));
  });

  it('follows the clock again when it has caught up', () => {
    const times = [START_MS, START_MS - 86_400_000, START_MS + 60_000];
    const stamp = stamps(() => times.shift()!, 3).at(-1);
    assert.equal(stamp?.slice(0, 16), (TAI64_LABEL_OF_1970 + 1_700_000_060n).toString(16));
  });

  it('begins where an earlier run with the same key ended, though the clock was set back since (§5.1)', () => {
    const source = new TimestampSource({ ...at(() => START_MS - 86_400_000), earliestStampUnixMs: START_MS });
    const stamp = Buffer.from(TimestampSource.write(source.nextStep(-1))).toString('hex');
    assert.equal(stamp.slice(0, 16), (TAI64_LABEL_OF_1970 + 1_700_000_000n).toString(16));
  });

  it('does not run ahead of the clock, however many peers ask at once', () => {
    const source = new TimestampSource(at(() => START_MS));
    const first = source.nextStep(-1);
    for (let peer = 0; peer < 65_536; peer++) assert.equal(source.nextStep(-1), first);
  });
});

/** The stamps of one peer, in hexadecimal. */
function stamps(unixTimeMs: () => number, count: number): string[] {
  const source = new TimestampSource(at(unixTimeMs));
  let step = -1;
  return Array.from({ length: count }, () => {
    step = source.nextStep(step);
    return Buffer.from(TimestampSource.write(step)).toString('hex');
  });
}

function at(unixTimeMs: () => number) {
  return { unixTimeMs, random: () => assert.fail('stamps need no randomness') };
}

function assertIncreasing(stamps: string[]): void {
  for (let i = 1; i < stamps.length; i++) assert.ok(stamps[i] > stamps[i - 1], `${stamps[i - 1]} then ${stamps[i]}`);
}

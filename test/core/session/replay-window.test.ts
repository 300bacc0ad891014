import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { ReplayWindow } from '../../../src/core/session/replay-window.js';
import { readVectors } from '../../vectors.js';

// From the whitepaper's table (§6.1) and the published vectors, not imported: the test checks the code
// against its source, not against itself.
const REJECT_AFTER_MESSAGES = 2n ** 64n - 2n ** 13n - 1n;
const WINDOW = 8_128n;

describe('ReplayWindow', () => {
  it('gives the published answers to the published sequence', () => {
    const window = new ReplayWindow();
    const { sequence } = readVectors<ReplayVectors>('wireguard/replay.json');
    for (const [step, [counter, expected]] of sequence.entries())
      assert.equal(accept(window, BigInt(counter)), expected, `step ${step}: ${counter}`);
  });

  for (const [index, { ranges, all, then }] of readVectors<ReplayVectors>('wireguard/replay.json').bulk.entries())
    it(`gives the published answers to ranges, case ${index + 1}: ${JSON.stringify(ranges)}`, () => {
      const window = new ReplayWindow();
      for (const [first, last, step] of ranges)
        for (let counter = first; step > 0 ? counter <= last : counter >= last; counter += step)
          assert.equal(accept(window, BigInt(counter)), all, `${counter}`);
      for (const [counter, expected] of then) assert.equal(accept(window, BigInt(counter)), expected, counter);
    });

  it('accepts every counter once, in any order', () => {
    const window = new ReplayWindow();
    for (const counter of [0n, 1n, 9n, 8n, 7n]) assert.equal(accept(window, counter), true, `first ${counter}`);
    for (const counter of [0n, 1n, 9n, 8n, 7n]) assert.equal(accept(window, counter), false, `second ${counter}`);
  });

  it('remembers the counters of the first block when it leaves it', () => {
    const window = new ReplayWindow();
    for (const counter of [0n, 5n, 31n]) accept(window, counter);
    assert.equal(accept(window, 32n), true);
    for (const counter of [0n, 5n, 31n]) assert.equal(accept(window, counter), false, `${counter}`);
    for (const counter of [1n, 4n, 30n]) assert.equal(accept(window, counter), true, `${counter}`);
  });

  for (const greatest of [WINDOW, 2n ** 32n + 5n, 2n ** 53n + 1n, 2n ** 63n, REJECT_AFTER_MESSAGES - 1n])
    it(`rejects a counter behind the window, though it never came, at ${greatest}`, () => {
      const window = new ReplayWindow();
      accept(window, greatest);
      assert.equal(accept(window, greatest - WINDOW), true, 'oldest counter inside');
      if (greatest > WINDOW) assert.equal(accept(window, greatest - WINDOW - 1n), false, 'first counter outside');
    });

  it('forgets the whole window when the counter jumps past it', () => {
    const window = new ReplayWindow();
    for (let counter = 0n; counter < WINDOW; counter++) accept(window, counter);
    const jump = 3n * WINDOW;
    assert.equal(accept(window, jump), true);
    for (let counter = jump - WINDOW; counter < jump; counter++)
      assert.equal(accept(window, counter), true, `${counter} is new`);
  });

  it('jumps across 2^64 counters as fast as by one', () => {
    for (let i = 0; i < 10_000; i++) {
      const window = new ReplayWindow();
      accept(window, 3n);
      assert.equal(accept(window, REJECT_AFTER_MESSAGES - 1n), true);
    }
    // A walk of 2^64 steps would never come here.
  });

  it('tells counters apart that share their lower half', () => {
    const window = new ReplayWindow();
    accept(window, 5n);
    assert.equal(accept(window, 2n ** 32n + 5n), true);
    assert.equal(accept(window, 5n), false, 'far behind the window');
    assert.equal(accept(window, 2n ** 33n + 5n), true);
    assert.equal(accept(window, 2n ** 32n + 5n), false);
  });

  it('stops at REJECT_AFTER_MESSAGES, and a refused counter does not move the window (§6.1)', () => {
    const window = new ReplayWindow();
    for (const refused of [REJECT_AFTER_MESSAGES, 2n ** 64n - 1n]) assert.equal(accept(window, refused), false);
    assert.equal(accept(window, 0n), true);
    assert.equal(accept(window, REJECT_AFTER_MESSAGES - 1n), true);
  });

  it('takes halves as signed and as unsigned numbers alike', () => {
    const window = new ReplayWindow();
    assert.equal(window.accept(0x8000_0000, 0xffff_0000), true);
    assert.equal(window.accept(0x8000_0000 | 0, 0xffff_0000 | 0), false);
    assert.equal(window.accept(0x8000_0000 | 0, 0xffff_0001 | 0), true);
    assert.equal(window.accept(0x8000_0000, 0xffff_0001), false);
  });

  it('agrees with a set of all counters seen, for any sequence', () => {
    const start = fc.constantFrom(
      0n,
      2n ** 32n - 9_000n,
      2n ** 53n - 9_000n,
      2n ** 63n,
      REJECT_AFTER_MESSAGES - 20_000n,
    );
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.bigInt({ min: -40n, max: 40n }) },
      { weight: 2, arbitrary: fc.bigInt({ min: -WINDOW - 3n, max: -WINDOW + 3n }) },
      { weight: 1, arbitrary: fc.bigInt({ min: -12_000n, max: 12_000n }) },
      { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 31n, max: 2n ** 33n }) },
    );
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 400, size: 'max' }), (first, steps) => {
        const window = new ReplayWindow();
        const model = new SetModel();
        for (const by of [0n, ...steps]) {
          const counter = (model.greatest === 0n ? first : model.greatest) + by;
          if (counter < 0n || counter >= 2n ** 64n) continue;
          assert.equal(accept(window, counter), model.accept(counter), `${counter} after ${model.greatest}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** The rule in one line, with memory without end. */
class SetModel {
  greatest = 0n;
  readonly #seen = new Set<bigint>();

  accept(counter: bigint): boolean {
    if (counter >= REJECT_AFTER_MESSAGES || counter + WINDOW < this.greatest || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    if (counter > this.greatest) this.greatest = counter;
    return true;
  }
}

function accept(window: ReplayWindow, counter: bigint): boolean {
  return window.accept(Number(counter >> 32n), Number(counter & 0xffff_ffffn));
}

interface ReplayVectors {
  readonly sequence: readonly (readonly [counter: string, expected: boolean])[];
  readonly bulk: readonly {
    readonly ranges: readonly (readonly [first: number, last: number, step: number])[];
    readonly all: boolean;
    readonly then: readonly (readonly [counter: string, expected: boolean])[];
  }[];
}

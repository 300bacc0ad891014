import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HyStart } from '../../../src/netstack/tcp/hystart.js';

describe('HyStart++ (RFC 9406)', () => {
  /** Rounds of twenty samples. @returns The number of the round in which slow start ended; −1: none. */
  function roundsUntilEnd(hystart: HyStart, rttOf: (round: number) => number, rounds = 30): number {
    let acknowledged = 0;
    hystart.startRound(20);
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < 20; i++) {
        acknowledged++;
        if (hystart.acknowledged(acknowledged, acknowledged + 20, rttOf(round))) return round;
      }
    }
    return -1;
  }

  it('leaves slow start five rounds after round trips became longer by an eighth (§4.2, §4.3)', () => {
    const end = roundsUntilEnd(new HyStart(), (round) => (round < 5 ? 100 : 113));
    assert.ok(end >= 9 && end <= 10, `round ${end}`);
  });

  it('has a threshold of 4 ms to 16 ms (§4.2)', () => {
    assert.equal(
      roundsUntilEnd(new HyStart(), (round) => (round < 5 ? 10 : 13)),
      -1,
    );
    assert.notEqual(
      roundsUntilEnd(new HyStart(), (round) => (round < 5 ? 10 : 14)),
      -1,
    );
    assert.equal(
      roundsUntilEnd(new HyStart(), (round) => (round < 5 ? 400 : 415)),
      -1,
    );
    assert.notEqual(
      roundsUntilEnd(new HyStart(), (round) => (round < 5 ? 400 : 416)),
      -1,
    );
  });

  it('grows by a quarter meanwhile, and by all again when the delay goes away (§4.2)', () => {
    const hystart = new HyStart();
    roundsUntilEnd(hystart, (round) => (round < 5 ? 100 : 120), 7);
    assert.equal(hystart.growthDivisor, 4);
    const again = new HyStart();
    assert.equal(
      roundsUntilEnd(again, (round) => (round < 5 || round > 7 ? 100 : 120)),
      -1,
    );
    assert.equal(again.growthDivisor, 1);
  });

  it('needs eight samples of a round (§4.2)', () => {
    const hystart = new HyStart();
    hystart.startRound(7);
    for (let round = 1; round < 20; round++)
      for (let i = 0; i < 7; i++) assert.equal(hystart.acknowledged(7 * round, 7 * (round + 1), 100 * round), false);
    assert.equal(hystart.growthDivisor, 1);
  });
});

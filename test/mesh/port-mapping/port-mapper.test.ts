import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { granted, HOUR_MS, INTERNAL_PORT, MapperOnVirtualTime, PUBLIC, type Sent } from './router-model.js';

const kindsOf = (sent: readonly Sent[]): string[] => sent.map(({ kind }) => kind);

describe('PortMapper', () => {
  it('asks by PCP first, for 7,200 s and the same port outside', () => {
    const { sent, mapper, nowMs } = new MapperOnVirtualTime();
    assert.deepEqual(sent, [{ atMs: nowMs, kind: 'pcp', lifetimeSeconds: 7_200, suggestedPort: INTERNAL_PORT }]);
    assert.equal(mapper.mapping, undefined);
  });

  it('reports what the router grants', () => {
    const { mapper, changes } = granted();
    assert.deepEqual(mapper.mapping, PUBLIC);
    assert.deepEqual(changes, [PUBLIC]);
  });

  it('sends again after 250 ms, and after twice as long each time (RFC 6886 §3.1)', () => {
    const run = new MapperOnVirtualTime();
    const startMs = run.nowMs;
    run.pass(7_749);
    assert.deepEqual(
      run.sent.map(({ atMs }) => atMs - startMs),
      [0, 250, 750, 1_750, 3_750],
    );
    run.answerPcp();
    run.pass(HOUR_MS - 1);
    assert.equal(run.sent.length, 5);
  });

  it('falls back to NAT-PMP at once when the version is refused, and after 7.75 s of silence', () => {
    const refused = new MapperOnVirtualTime();
    refused.refuseVersion();
    assert.deepEqual(kindsOf(refused.sent), ['pcp', 'address']);
    const refusedByPcp = new MapperOnVirtualTime();
    refusedByPcp.answerPcp({ result: 1 });
    assert.deepEqual(kindsOf(refusedByPcp.sent), ['pcp', 'address']);
    assert.equal(new MapperOnVirtualTime().passUntil('address'), 7_750);
  });

  it('asks by NAT-PMP for the public address, then for a mapping (RFC 6886 §3.2, §3.3)', () => {
    const run = new MapperOnVirtualTime();
    run.refuseVersion();
    run.pass(300);
    run.answerAddress();
    run.pass(300);
    assert.equal(run.mapper.mapping, undefined);
    run.answerNatPmp();
    assert.deepEqual(kindsOf(run.sent), ['pcp', 'address', 'address', 'nat-pmp', 'nat-pmp']);
    assert.deepEqual(run.sent.at(-1)!.lifetimeSeconds, 7_200);
    assert.deepEqual(run.changes, [PUBLIC]);
  });

  it('tries again a minute after silence, then after twice as long, up to half an hour', () => {
    const run = new MapperOnVirtualTime();
    const pauses: number[] = [];
    for (let round = 0; round < 8; round++) {
      run.pass(15_500);
      pauses.push(run.passUntil('pcp') / 1_000);
    }
    assert.deepEqual(pauses, [60, 120, 240, 480, 960, 1_800, 1_800, 1_800]);
  });

  it('ignores what is not its own: another nonce, another port, an answer to what it has not asked', () => {
    const run = new MapperOnVirtualTime();
    run.answerPcp({ nonce: new Uint8Array(12) });
    run.answerNatPmp();
    run.answerAddress();
    run.refuseVersion();
    run.answerAddress();
    run.answerNatPmp({ internalPort: INTERNAL_PORT + 1 });
    assert.deepEqual(run.changes, []);
  });

  describe('after a refusal', () => {
    it('pauses for as long as the router says, between one minute and half an hour (RFC 6887 §8.3)', () => {
      for (const [lifetimeSeconds, pauseSeconds] of [
        [0, 60],
        [600, 600],
        [0xffff_ffff, 1_800],
      ] as const) {
        for (const result of [2, 3, 4, 7, 8, 10, 11, 12, 13, 255]) {
          const run = new MapperOnVirtualTime();
          run.answerPcp({ result, lifetimeSeconds });
          assert.equal(run.passUntil('pcp'), pauseSeconds * 1_000, `result ${result}`);
          assert.deepEqual(run.changes, []);
        }
      }
    });

    it('pauses after each result code of NAT-PMP (RFC 6886 §3.5)', () => {
      for (const result of [1, 2, 3, 4, 5]) {
        const early = new MapperOnVirtualTime();
        early.refuseVersion();
        early.answerAddress(undefined, result);
        assert.equal(early.passUntil('pcp'), 60_000);
        const late = new MapperOnVirtualTime();
        late.refuseVersion();
        late.answerAddress();
        late.answerNatPmp({ result });
        assert.equal(late.passUntil('pcp'), 60_000);
        assert.deepEqual([...early.changes, ...late.changes], []);
      }
    });

    it('does not take an address of zeros, port 0 or a lifetime of 0 for a mapping', () => {
      const unusable = [
        { mapping: { address: new Uint8Array(4), port: 1 } },
        { mapping: { ...PUBLIC, port: 0 } },
        { lifetimeSeconds: 0 },
      ];
      for (const answer of unusable) {
        const run = new MapperOnVirtualTime();
        run.answerPcp(answer);
        assert.equal(run.mapper.mapping, undefined);
        assert.equal(run.passUntil('pcp'), 60_000);
      }
    });
  });

  it('survives any bytes at any time, and always has a deadline ahead', () => {
    const starts = [[2, 0x81, 0], [2, 0x80, 0], [0, 0x80], [0, 0x81], [0, 0, 0, 1], []];
    const rest = fc.uint8Array({ maxLength: 70 });
    const events = fc.array(fc.tuple(fc.constantFrom(...starts), rest, fc.nat(10_000)), { maxLength: 30 });
    fc.assert(
      fc.property(events, (steps) => {
        const run = granted(120);
        for (const [start, bytes, durationMs] of steps) {
          run.hand(Uint8Array.of(...start, ...bytes));
          run.pass(durationMs);
          assert.ok(run.mapper.nextDeadline() > run.nowMs && run.mapper.nextDeadline() < Infinity);
        }
      }),
      { numRuns: 200 },
    );
  });
});

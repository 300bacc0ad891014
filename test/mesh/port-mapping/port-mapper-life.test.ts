import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { granted, grantedByNatPmp, HOUR_MS, MapperOnVirtualTime, OTHER, PUBLIC, type Sent } from './router-model.js';

const kindsOf = (sent: readonly Sent[]): string[] => sent.map(({ kind }) => kind);

describe('a mapping that is held', () => {
  describe('renewal', () => {
    it('comes at half the lifetime that was granted, and suggests what is held (RFC 6887 §11.2.1)', () => {
      const run = granted(600);
      assert.equal(run.passUntil('pcp'), 300_000);
      assert.equal(run.sent.at(-1)!.suggestedPort, PUBLIC.port);
      run.answerPcp({ lifetimeSeconds: 7_200 });
      assert.equal(run.passUntil('pcp'), HOUR_MS);
      assert.deepEqual(run.changes, [PUBLIC]);
    });

    it('reports another address or port', () => {
      const run = granted();
      run.passUntil('pcp');
      run.answerPcp({ mapping: OTHER });
      assert.deepEqual(run.changes, [PUBLIC, OTHER]);
    });

    it('comes at least 4 s later, and at the latest after half a day', () => {
      assert.equal(granted(5).passUntil('pcp'), 4_000);
      assert.equal(granted(0xffff_ffff).passUntil('pcp'), 12 * HOUR_MS);
    });

    it('asks NAT-PMP, if NAT-PMP has granted the mapping', () => {
      const run = grantedByNatPmp();
      assert.equal(run.passUntil('address'), HOUR_MS);
      run.answerAddress(OTHER.address);
      assert.equal(run.sent.at(-1)!.suggestedPort, PUBLIC.port);
      run.answerNatPmp();
      assert.deepEqual(run.changes, [PUBLIC, { ...PUBLIC, address: OTHER.address }]);
      assert.deepEqual(kindsOf(run.sent), ['pcp', 'address', 'nat-pmp', 'address', 'nat-pmp']);
    });

    it('asks PCP again while the mapping lives, then reports its end and begins anew', () => {
      const run = granted(120);
      const endMs = run.nowMs + 120_000;
      run.pass(119_999);
      assert.deepEqual(new Set(kindsOf(run.sent)), new Set(['pcp']));
      assert.ok(run.sent.length >= 1 + 2 * 5, `${run.sent.length} requests`);
      assert.deepEqual(run.mapper.mapping, PUBLIC);
      run.pass(1);
      assert.deepEqual([run.nowMs, run.mapper.mapping, run.changes], [endMs, undefined, [PUBLIC, undefined]]);
      run.passUntil('address');
    });

    it('begins the pauses anew after a grant', () => {
      const run = new MapperOnVirtualTime();
      for (const pauseMs of [60_000, 120_000]) {
        run.answerPcp({ result: 8, lifetimeSeconds: 30 });
        assert.equal(run.passUntil('pcp'), pauseMs);
      }
      run.answerPcp();
      run.passUntil('pcp');
      run.answerPcp({ result: 8, lifetimeSeconds: 30 });
      assert.equal(run.passUntil('pcp'), 60_000);
    });

    it('keeps the mapping until it ends when a renewal is refused', () => {
      const run = granted();
      run.passUntil('pcp');
      run.answerPcp({ result: 8, lifetimeSeconds: 30 });
      assert.deepEqual(run.mapper.mapping, PUBLIC);
      assert.equal(run.passUntil('pcp'), 60_000);
    });
  });

  describe('a router that has restarted', () => {
    it('is asked again after the delay when it announces its age (RFC 6887 §8.5, §14.1)', () => {
      const run = granted();
      run.pass(600_000);
      run.announcePcp();
      assert.equal(run.sent.length, 1);
      run.restartRouter();
      run.announcePcp();
      run.announcePcp();
      assert.equal(run.passUntil('pcp'), 3_000);
      run.answerPcp();
      assert.deepEqual(run.changes, [PUBLIC]);
      assert.equal(run.passUntil('pcp'), HOUR_MS);
    });

    it('is asked again when it announces its age by NAT-PMP, or another address (RFC 6886 §3.2.1, §3.6)', () => {
      for (const isRestart of [true, false]) {
        const run = grantedByNatPmp();
        run.pass(600_000);
        run.answerAddress();
        assert.equal(run.sent.length, 3);
        if (isRestart) run.restartRouter();
        run.answerAddress(isRestart ? PUBLIC.address : OTHER.address);
        assert.equal(run.passUntil('address'), 3_000);
      }
    });

    it('loses the mapping after 30 s if it does not grant it again', () => {
      const run = granted();
      run.pass(600_000);
      run.restartRouter();
      run.announcePcp();
      run.pass(29_999);
      assert.deepEqual(run.mapper.mapping, PUBLIC);
      run.pass(1);
      assert.deepEqual(run.changes, [PUBLIC, undefined]);
    });

    it('neither delays a renewal nor prolongs the mapping', () => {
      const early = granted();
      early.pass(HOUR_MS - 1_000);
      early.restartRouter();
      early.announcePcp();
      assert.equal(early.passUntil('pcp'), 1_000);
      const late = granted(120);
      late.pass(110_000);
      late.restartRouter();
      late.announcePcp();
      late.pass(10_000);
      assert.deepEqual(late.changes, [PUBLIC, undefined]);
    });

    it('shows in a refusal, too', () => {
      const run = granted();
      run.passUntil('pcp');
      run.restartRouter();
      run.answerPcp({ result: 7, lifetimeSeconds: 600 });
      run.pass(30_000);
      assert.deepEqual(run.changes, [PUBLIC, undefined]);
    });
  });

  describe('close', () => {
    it('deletes the mapping with lifetime 0, and ends with the answer (RFC 6887 §15.1)', () => {
      const run = granted();
      run.close();
      assert.deepEqual(
        { ...run.sent.at(-1)!, atMs: 0 },
        { atMs: 0, kind: 'pcp', lifetimeSeconds: 0, suggestedPort: 0 },
      );
      assert.deepEqual(run.changes, [PUBLIC, undefined]);
      run.answerPcp({ lifetimeSeconds: 7_200 });
      assert.equal(run.mapper.isClosed, false, 'an answer to an earlier request');
      run.answerPcp({ lifetimeSeconds: 0 });
      assert.equal(run.mapper.isClosed, true);
      assert.equal(run.mapper.nextDeadline(), Infinity);
    });

    it('deletes a mapping of NAT-PMP by NAT-PMP (RFC 6886 §3.4)', () => {
      const run = grantedByNatPmp();
      run.close();
      assert.deepEqual(run.sent.at(-1), { atMs: run.nowMs, kind: 'nat-pmp', lifetimeSeconds: 0, suggestedPort: 0 });
      run.answerNatPmp({ lifetimeSeconds: 0 });
      assert.equal(run.mapper.isClosed, true);
    });

    it('ends after three requests without an answer, or with a refusal', () => {
      const run = granted();
      run.close();
      run.close();
      run.pass(1_749);
      assert.equal(run.mapper.isClosed, false);
      run.pass(1);
      assert.equal(run.mapper.isClosed, true);
      assert.equal(run.sent.length, 4);
      const refused = granted();
      refused.close();
      refused.answerPcp({ result: 2 });
      assert.equal(refused.mapper.isClosed, true);
    });

    it('deletes what may have been granted, and asks nothing where nothing was', () => {
      const early = new MapperOnVirtualTime();
      early.close();
      assert.deepEqual(
        early.sent.map(({ lifetimeSeconds }) => lifetimeSeconds),
        [7_200, 0],
      );
      const refused = new MapperOnVirtualTime();
      refused.answerPcp({ result: 2 });
      refused.close();
      assert.equal(refused.mapper.isClosed, true);
      refused.answerPcp();
      assert.deepEqual([refused.sent.length, refused.changes.length], [1, 0]);
    });
  });
});

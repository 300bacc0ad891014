/** The path to one peer, step by step. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Candidate } from '../../../src/mesh/paths/candidate.js';
import { PeerPath } from '../../../src/mesh/paths/peer-path.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

interface Probe {
  readonly id: Uint8Array;
  readonly to: Endpoint;
  readonly atMs: number;
}

/** A path with what it asked for. */
class Bench {
  readonly path: PeerPath;
  readonly probes: Probe[] = [];
  readonly asked: number[] = [];
  nowMs = 0;
  #next = 1;

  constructor() {
    this.path = new PeerPath((bytes) => bytes.fill(this.#next++));
  }

  run(untilMs: number): void {
    while (this.path.nextDeadline() <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.path.nextDeadline());
      this.path.runDue(this.nowMs, {
        probe: (id, to) => this.probes.push({ id: id.slice(), to, atMs: this.nowMs }),
        askPunch: () => this.asked.push(this.nowMs),
      });
    }
    this.nowMs = untilMs;
  }

  /** Traffic all the time until then. */
  talk(untilMs: number): void {
    for (let atMs = this.nowMs; atMs <= untilMs; atMs += 500) {
      this.path.noteTraffic(atMs);
      this.run(atMs);
    }
  }

  answer(probe: Probe, atMs: number): boolean {
    return this.path.answered(probe.id, atMs);
  }
}

describe('The path to a peer', () => {
  it('is the relay, until a probe of ours was answered', () => {
    const bench = new Bench();
    bench.path.noteTraffic(0);
    bench.run(0);
    assert.deepEqual(bench.asked, [0], 'the first packet asks for a punch at once');
    bench.path.punch([candidate(1)], 20, 10);
    bench.run(400);
    assert.deepEqual(
      bench.probes.map(({ atMs }) => atMs),
      [30, 130, 330],
    );
    assert.deepEqual(bench.path.ways(400), { isRelayed: true });
    assert.equal(bench.path.answered(new Uint8Array(12).fill(99), 400), false, 'an answer to nothing');
    assert.equal(bench.answer(bench.probes[2]!, 410), true);
    assert.equal(bench.answer(bench.probes[2]!, 411), false, 'the same answer again');
    const { direct, isRelayed } = bench.path.ways(410);
    assert.deepEqual([direct?.port, isRelayed], [1, false]);
  });

  it('goes both ways after a handshake, until the next answer, and to where a peer that was started again is', () => {
    const bench = directAt(0);
    bench.talk(1_000);
    bench.path.doubt(1_000);
    assert.equal(bench.path.ways(1_000).isRelayed, true);
    bench.run(1_000);
    bench.answer(bench.probes.at(-1)!, 1_010);
    assert.equal(bench.path.ways(1_010).isRelayed, false, 'the peer is where it was');

    bench.talk(2_000);
    bench.path.doubt(2_000);
    bench.path.probedFrom(candidate(7).endpoint, 2_010);
    bench.run(2_010);
    bench.answer(bench.probes.at(-1)!, 2_020);
    assert.equal(bench.path.ways(2_020).direct?.port, 1, 'the old path may answer yet');
    bench.talk(3_010);
    bench.answer(bench.probes.at(-1)!, 3_020);
    const { direct, isRelayed } = bench.path.ways(3_020);
    assert.deepEqual([direct?.port, isRelayed], [7, false]);
  });

  it('goes both ways when answers stop, and back to the relay when they stay away', () => {
    const bench = directAt(0);
    bench.talk(6_000);
    assert.deepEqual(bench.path.ways(6_000).isRelayed, false);
    bench.talk(8_000);
    const ways = bench.path.ways(8_000);
    assert.deepEqual([ways.direct !== undefined, ways.isRelayed], [true, true], 'both, while in doubt');
    bench.talk(20_000);
    assert.deepEqual(bench.path.ways(20_000), { isRelayed: true });
    assert.ok(bench.asked.length > 1, 'and it is sought again');
  });

  it('probes while there is traffic, and is silent without', () => {
    const bench = directAt(0);
    bench.talk(30_000 - 500);
    const probed = bench.probes.length;
    assert.ok(probed >= 6);
    bench.run(600_000);
    assert.ok(bench.probes.length <= probed + 16, 'it ends soon after the last packet');
    assert.equal(bench.path.nextDeadline(), Infinity);
  });

  it('is sought more and more rarely, with a silence in which stray entries of a NAT end', () => {
    const bench = new Bench();
    bench.talk(700_000);
    const gaps = bench.asked.slice(1).map((atMs, i) => atMs - bench.asked[i]!);
    assert.deepEqual(
      gaps.slice(0, 5).map((gap) => Math.round(gap / 5_000) * 5),
      [5, 40, 80, 160, 300],
    );
    assert.ok(gaps[1]! >= 35_000);
  });

  it('has both ends ask again at the same time, whichever asked, so that there is one silence', () => {
    const [asker, other] = [new Bench(), new Bench()];
    asker.path.noteTraffic(0);
    asker.run(0);
    other.path.noteTraffic(10);
    for (const bench of [asker, other]) bench.path.punch([], 0, 40);
    for (const bench of [asker, other]) bench.talk(5_500);
    assert.deepEqual([asker.asked, other.asked], [[0, 5_000], [5_040]]);
    for (const bench of [asker, other]) bench.path.punch([], 0, 5_600);
    const next = [asker, other].map(({ path }) => path.nextDeadline());
    assert.deepEqual(next, [45_000, 45_040]);
  });

  it('changes to another one only if that is clearly better', () => {
    const bench = directAt(0, 50);
    assert.equal(rivalled(bench, 49), 1, 'a millisecond is no reason');
    assert.equal(rivalled(bench, 20), 2);
  });

  it('aims few probes at an address that a report names, however often it is named', () => {
    const bench = new Bench();
    for (let atMs = 0; atMs < 100_000; atMs += 1_000) {
      bench.path.punch(
        Array.from({ length: 64 }, (_, i) => candidate(i + 1)),
        0,
        atMs,
      );
      bench.run(atMs + 999);
    }
    const counts = new Map<number, number>();
    for (const { to } of bench.probes) counts.set(to.port, (counts.get(to.port) ?? 0) + 1);
    assert.ok(counts.size <= 16, `${counts.size} addresses`);
    assert.ok(Math.max(...counts.values()) <= 10, 'ten tries each');
  });

  it('never probes this host, links or groups', () => {
    const bench = new Bench();
    const addresses = [
      [127, 0, 0, 1],
      [0, 0, 0, 0],
      [224, 0, 0, 1],
      [255, 255, 255, 255],
      [169, 254, 169, 254],
    ];
    bench.path.punch(
      addresses.map((address) => ({
        endpoint: Endpoint.from(Uint8Array.from(address), 80),
        kind: 'observed' as const,
      })),
      0,
      0,
    );
    bench.run(1_000);
    assert.deepEqual(bench.probes, []);
  });

  it('asks anew at once when UDP works again, however long the pause had become', () => {
    const bench = new Bench();
    bench.talk(50_000);
    const failed = bench.asked.length;
    bench.path.retry(bench.nowMs);
    bench.talk(56_000);
    assert.deepEqual(bench.asked.slice(failed), [50_000, 55_000]);
  });
});

/** A path that is direct since a moment. */
function directAt(atMs: number, rttMs = 10): Bench {
  const bench = new Bench();
  bench.path.noteTraffic(atMs);
  bench.run(atMs);
  bench.path.punch([candidate(1)], 0, atMs);
  bench.run(atMs);
  bench.answer(bench.probes[0]!, atMs + rttMs);
  return bench;
}

/** Has a second address answer after so many ms. @returns The port in use. */
function rivalled(bench: Bench, rttMs: number): number {
  const seen = bench.probes.length;
  bench.path.punch([candidate(2)], 0, 1_000);
  bench.run(1_000);
  bench.answer(bench.probes[seen]!, 1_000 + rttMs);
  return bench.path.direct!.endpoint.port;
}

function candidate(port: number): Candidate {
  return { endpoint: Endpoint.from(Uint8Array.of(192, 0, 2, 1), port), kind: 'observed' };
}

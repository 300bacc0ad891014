/** The way to the hub: UDP, the carrier, or neither. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HubPath } from '../../../src/mesh/paths/hub-path.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

const UDP = Endpoint.from(Uint8Array.of(203, 0, 113, 10), 51_820);
const CARRIER = Endpoint.forPath(new Uint8Array(16).fill(1));

/** A path with what it sent and asked for. */
class Bench {
  readonly sent: { readonly id: Uint8Array; readonly atMs: number }[] = [];
  readonly wanted: boolean[] = [];
  /** Bytes that came, by the first byte of the peer's key. */
  readonly received = new Map<number, number>();
  doubts = 0;
  #next = 1;
  readonly path = new HubPath({
    random: (bytes) => bytes.fill(this.#next++),
    onChange: () => {},
    wantCarrier: (isWanted) => this.wanted.push(isWanted),
    receivedBytes: (publicKey) => this.received.get(publicKey[0]!) ?? 0,
    onDoubt: () => this.doubts++,
  });

  constructor() {
    this.path.setHub(new Uint8Array(32), UDP, undefined, 0);
  }

  run(untilMs: number): void {
    while (this.path.nextDeadline() <= untilMs) {
      const atMs = this.path.nextDeadline();
      this.path.runDue(atMs, (id) => this.sent.push({ id: id.slice(), atMs }));
    }
  }

  /** Has the hub answer what is due until then. */
  answerAll(untilMs: number): void {
    while (this.path.nextDeadline() <= untilMs) {
      const seen = this.sent.length;
      this.run(this.path.nextDeadline());
      for (const { id, atMs } of this.sent.slice(seen)) this.path.answered(id, undefined, atMs);
    }
  }
}

describe('The path to the hub', () => {
  it('knows where the hub is by UDP, also while that is not answered', () => {
    const { path } = new Bench();
    const other = Endpoint.from(Uint8Array.of(203, 0, 113, 11), 51_820);

    path.runDue(5_000, () => {});

    assert.deepEqual([path.way, path.udp], ['none', UDP]);
    assert.deepEqual(
      [path.isAt(UDP, undefined), path.isAt(other, undefined), path.isAt(UDP, other)],
      [true, false, false],
    );
  });

  it('wants the carrier at once where the address of the hub is not known, and goes back to UDP when it is', () => {
    const wanted: boolean[] = [];
    const sent: { id: Uint8Array; to: Endpoint }[] = [];
    let next = 0;
    const path = new HubPath({
      random: (bytes) => bytes.fill(++next),
      onChange: () => {},
      wantCarrier: (isWanted) => wanted.push(isWanted),
      receivedBytes: () => 0,
      onDoubt: () => {},
    });

    path.setHub(new Uint8Array(32), undefined, undefined, 0);
    path.setCarrier(CARRIER);
    assert.deepEqual([wanted, path.isCarried, path.endpoint], [[true], true, CARRIER]);

    path.setHub(new Uint8Array(32), UDP, undefined, 1_000);
    path.runDue(1_000, (id, to) => sent.push({ id: id.slice(), to }));
    assert.equal(sent[0]?.to, UDP);
    path.answered(sent[0]!.id, undefined, 1_020);
    assert.deepEqual([wanted, path.isCarried, path.endpoint], [[true, false], false, UDP]);
  });

  it('is never called UDP while that is not answered, whatever the carrier does', () => {
    const bench = new Bench();
    bench.run(5_000);
    assert.deepEqual([bench.wanted, bench.path.way], [[true], 'none'], 'the carrier is asked for, and not there yet');
    bench.path.setCarrier(CARRIER);
    assert.deepEqual([bench.path.way, bench.path.isCarried], ['carried', true]);
    bench.path.setCarrier(undefined);
    assert.deepEqual([bench.path.way, bench.path.isCarried], ['none', false], 'while it connects again');
    bench.path.setCarrier(CARRIER);
    assert.equal(bench.path.way, 'carried');
  });

  it('is UDP again with the first answer, and for a while both', () => {
    const bench = new Bench();
    bench.run(5_000);
    bench.path.setCarrier(CARRIER);
    bench.run(60_000);
    const { id, atMs } = bench.sent.at(-1)!;
    bench.path.answered(id, undefined, atMs + 20);
    assert.deepEqual([bench.path.way, bench.path.endpoint, bench.wanted], ['udp', UDP, [true, false]]);
    assert.equal(bench.path.secondWay(atMs + 1_000), CARRIER);
    assert.equal(bench.path.secondWay(atMs + 3_000), undefined);
  });

  it('is in doubt when a message stays without an answer for a second, and while nobody answers every ten seconds', () => {
    const bench = settled();
    const [hub, absent] = [Uint8Array.of(1), Uint8Array.of(2)];
    for (let atMs = 20_000; atMs < 60_000; atMs += 500) {
      bench.path.noteTraffic(hub, atMs);
      bench.received.set(1, atMs);
    }
    assert.deepEqual([bench.doubts, bench.path.nextDeadline()], [0, Infinity], 'the hub answers each');

    for (let atMs = 60_000; atMs <= 90_000; atMs += 500) {
      bench.path.noteTraffic(absent, atMs);
      bench.answerAll(atMs);
    }
    assert.equal(bench.doubts, 3);
    assert.deepEqual(bench.wanted, []);
  });

  it('is given up for the carrier five seconds after it came into doubt', () => {
    const bench = settled();
    bench.path.noteTraffic(Uint8Array.of(1), 20_000);
    bench.run(20_999);
    bench.path.noteTraffic(Uint8Array.of(1), 21_000);
    bench.run(25_999);
    assert.deepEqual([bench.doubts, bench.path.way], [1, 'udp']);
    bench.run(26_000);
    assert.deepEqual([bench.path.way, bench.wanted], ['none', [true]]);
  });
});

/** A path that was answered at its start. */
function settled(): Bench {
  const bench = new Bench();
  bench.answerAll(0);
  return bench;
}

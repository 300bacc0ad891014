import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { IpView } from '../../../src/netstack/ip/ip-view.js';
import { Reassembler } from '../../../src/netstack/ip/reassembler.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';

const LONGEST = 65_535;
const MOST_FRAGMENTS = 64;
const MOST_DATAGRAMS = 64;
/** 64 datagrams of the greatest length, each in a buffer of no more than that. */
const MOST_BYTES = MOST_DATAGRAMS * LONGEST;
const LIFETIME_MS = { 4: 30_000, 6: 60_000 } as const;

interface Fragment {
  readonly version: 4 | 6;
  readonly id: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly hasMore: boolean;
  readonly atMs: number;
}

/** One datagram as an array of bytes, of which some are there. */
interface Datagram {
  readonly bytes: (number | undefined)[];
  length: number | undefined;
  count: number;
  readonly deadlineMs: number;
}

/** RFC 791 §3.2 and RFC 8200 §4.5, byte by byte. */
class Model {
  readonly #datagrams = new Map<string, Datagram>();

  get count(): number {
    return this.#datagrams.size;
  }

  add({ version, id, offset, bytes, hasMore, atMs }: Fragment): Uint8Array | undefined {
    for (const [key, { deadlineMs }] of this.#datagrams) if (deadlineMs <= atMs) this.#datagrams.delete(key);
    const end = offset + bytes.length;
    if (bytes.length === 0 || end > LONGEST || (hasMore && bytes.length % 8 !== 0)) return undefined;
    const key = `${version} ${id}`;
    const datagram = this.#datagrams.get(key) ?? this.#begin(key, atMs + LIFETIME_MS[version]);
    const there = bytes.filter((_, i) => datagram.bytes[offset + i] !== undefined).length;
    const isOverlap = version === 6 && there > 0 && there < bytes.length;
    const known = datagram.length;
    const isLengthWrong = hasMore ? known !== undefined && end > known : known !== undefined && end !== known;
    const isShort = !hasMore && datagram.bytes.length > end;
    if (++datagram.count > MOST_FRAGMENTS || isOverlap || isLengthWrong || isShort) {
      this.#datagrams.delete(key);
      return undefined;
    }
    bytes.forEach((byte, i) => {
      datagram.bytes[offset + i] ??= byte;
    });
    if (!hasMore) datagram.length = end;
    return this.#takeIfWhole(key, datagram);
  }

  #begin(key: string, deadlineMs: number): Datagram {
    const datagram: Datagram = { bytes: [], length: undefined, count: 0, deadlineMs };
    this.#datagrams.set(key, datagram);
    return datagram;
  }

  #takeIfWhole(key: string, { bytes, length }: Datagram): Uint8Array | undefined {
    if (length === undefined) return undefined;
    for (let i = 0; i < length; i++) if (bytes[i] === undefined) return undefined;
    this.#datagrams.delete(key);
    return Uint8Array.from(bytes as number[]);
  }
}

function viewOf({ version, id, offset, bytes, hasMore }: Fragment): IpView {
  const view = new IpView();
  view.version = version;
  view.protocol = 17;
  view.isFragment = true;
  view.fragmentId = id;
  view.fragmentOffset = offset;
  view.hasMoreFragments = hasMore;
  view.payloadAt = 0;
  view.payloadBytes = bytes.length;
  return view;
}

/** The same steps in both; every result and every count has to be the same. */
function compare(fragments: readonly Fragment[]): void {
  const model = new Model();
  const reassembler = new Reassembler();
  for (const fragment of fragments) {
    const whole = reassembler.add(viewOf(fragment), fragment.bytes, fragment.atMs);
    assert.deepEqual(whole, model.add(fragment));
    assert.equal(reassembler.count, model.count);
    assert.ok(reassembler.bytes <= MOST_BYTES && (reassembler.count > 0 || reassembler.bytes === 0));
  }
}

const fragment = (most: number) =>
  fc.record({
    version: fc.constantFrom(4 as const, 6 as const),
    id: fc.nat(2),
    offset: fc.nat(most).map((units) => 8 * units),
    bytes: fc
      .tuple(fc.nat(most), fc.nat(255), fc.integer({ min: 0, max: 9 }))
      // Most are multiples of eight, each with bytes of its own, so that it shows which of two was kept.
      .map(([units, filler, odd]) => new Uint8Array(8 * units + (odd > 7 ? odd - 7 : 0)).fill(filler)),
    hasMore: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
    waitMs: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
    ),
  });

function timed(list: readonly (Omit<Fragment, 'atMs'> & { waitMs: number })[]): Fragment[] {
  let atMs = 0;
  return list.map(({ waitMs, ...rest }) => {
    atMs += waitMs;
    return { ...rest, atMs };
  });
}

describe('the reassembler against an array of bytes (row 40)', () => {
  it('agrees on random fragments that overlap, repeat and contradict each other, of both families', () => {
    fc.assert(
      fc.property(fc.array(fragment(6), { maxLength: 40 }), (list) => compare(timed(list))),
      { numRuns: 3_000 },
    );
  });

  it('agrees at the end of the longest datagram', () => {
    fc.assert(
      fc.property(fc.array(fragment(8_192), { maxLength: 6 }), (list) => compare(timed(list))),
      { numRuns: 50 },
    );
  });

  it('agrees on datagrams that were cut, mixed, repeated and reordered', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new SeededRandom(seed);
      const list: Fragment[] = [];
      for (let id = 0; id < 3; id++) {
        const data = random.bytes(1 + random.integer(3_000));
        const version = random.pick([4, 6] as const);
        for (let offset = 0; offset < data.length; ) {
          const bytes = data.slice(offset, offset + 8 * (1 + random.integer(60)));
          const hasMore = offset + bytes.length < data.length;
          const copies = random.chance(0.2) ? 2 : 1;
          for (let i = 0; i < copies; i++) list.push({ version, id, offset, bytes, hasMore, atMs: 0 });
          offset += bytes.length;
        }
      }
      compare(
        list
          .map((item) => ({ item, at: random.next() }))
          .sort((a, b) => a.at - b.at)
          .map(({ item }) => item),
      );
    }
  });

  it('keeps to its bounds when each fragment begins another datagram, of the greatest length', () => {
    const reassembler = new Reassembler();
    const bytes = new Uint8Array(8);
    for (let id = 0; id < 1_000; id++) {
      const version = id % 2 === 0 ? 4 : 6;
      const last = { version, id, offset: 65_520, bytes, hasMore: false, atMs: id } as const;
      reassembler.add(viewOf(last), bytes, id);
      assert.ok(reassembler.count <= MOST_DATAGRAMS && reassembler.bytes <= MOST_BYTES);
    }
    reassembler.expire(100_000);
    assert.deepEqual([reassembler.count, reassembler.bytes], [0, 0]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { ACK, type Family, FIN, LoneStack } from './lone-stack.js';

const SEGMENT_BYTES = 100;
const SEGMENTS = 5;

/** A stream of bytes that tell their place. */
function streamOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
}

/** Sends parts of a stream, and follows the ACK that each has to get. */
class Receiver {
  readonly lone: LoneStack;
  readonly stream: Uint8Array;
  readonly #has: Uint8Array;
  readonly #seq: number;
  readonly #ack: number;
  #received: number[] = [];

  constructor(family: Family, stream: Uint8Array, iss: number) {
    this.lone = new LoneStack(family);
    this.stream = stream;
    this.#has = new Uint8Array(stream.length);
    const { seq, ack } = this.lone.open(iss);
    this.#seq = seq;
    this.#ack = ack;
    this.lone.answers();
  }

  /** Every segment is acknowledged at once: the first sixteen of a connection are, and those around a gap. */
  arrive(start: number, end: number): void {
    const data = this.stream.subarray(start, end);
    this.#has.fill(1, start, end);
    const isLast = end === this.stream.length;
    this.lone.send({ flags: ACK | (isLast ? FIN : 0), seq: (this.#seq + start) | 0, ack: this.#ack, data });
    this.lone.advance(40);
    const gap = this.#has.indexOf(0);
    const inOrder = gap < 0 ? this.stream.length + 1 : gap;
    assert.equal(this.lone.answers().at(-1)?.ack, (this.#seq + inOrder) | 0, `ACK after ${start} to ${end}`);
  }

  read(): void {
    this.#received.push(...this.lone.read());
    this.lone.answers();
  }

  finish(): void {
    this.read();
    assert.deepEqual(Uint8Array.from(this.#received), this.stream);
    assert.equal(this.lone.flow!.isFinReceived, true);
    assert.equal(this.lone.stack.pool.usedBytes, 0);
  }
}

/** Where the stream begins: in the middle of the sequence space, and so that each of the segments crosses 2^32. */
const STARTS = [1_000, ...Array.from({ length: SEGMENTS }, (_, i) => -(i * SEGMENT_BYTES + 50))];

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

const ORDERS = permutations([0, 1, 2, 3, 4]);

describe('five segments (RFC 9293 §3.10.7.4, RFC 5681 §4.2)', () => {
  for (const order of ORDERS)
    it(`arrive as a stream in the order ${order.map((n) => n + 1).join(' ')}`, () => {
      for (const family of ['IPv4', 'IPv6'] as const)
        for (const iss of STARTS) {
          const receiver = new Receiver(family, streamOf(SEGMENTS * SEGMENT_BYTES), iss | 0);
          for (const n of order) receiver.arrive(n * SEGMENT_BYTES, (n + 1) * SEGMENT_BYTES);
          receiver.finish();
        }
    });

  it('arrive as a stream in order, each of them three times', () => {
    for (const iss of STARTS) {
      const receiver = new Receiver('IPv4', streamOf(SEGMENTS * SEGMENT_BYTES), iss | 0);
      for (let n = 0; n < SEGMENTS; n++)
        for (let copy = 0; copy < 3; copy++) receiver.arrive(n * SEGMENT_BYTES, (n + 1) * SEGMENT_BYTES);
      receiver.finish();
    }
  });
});

/** Edges of a second segment around one from 100 to 200. */
const POINTS = [0, 1, 50, 99, 100, 101, 150, 199, 200, 201, 250] as const;
const OVERLAPS = POINTS.flatMap((start) =>
  POINTS.filter((end) => end > start).map((end) => [start, end] as const),
).filter(([start, end]) => start < 200 && end > 100);

describe('two segments that overlap', () => {
  for (const [start, end] of OVERLAPS)
    it(`make one stream: 100 to 200 and ${start} to ${end}, in either order, in front of a gap and behind one`, () => {
      for (const iss of [1_000, -1, -100, -150, -200])
        for (const isFirst of [true, false])
          for (const isGapFirst of [true, false]) {
            const receiver = new Receiver('IPv4', streamOf(300), iss | 0);
            if (!isGapFirst) receiver.arrive(0, 100);
            if (isFirst) receiver.arrive(100, 200);
            receiver.arrive(start, end);
            if (!isFirst) receiver.arrive(100, 200);
            receiver.read();
            receiver.arrive(0, 300);
            receiver.finish();
          }
    });
});

describe('random segments', () => {
  const LENGTH = 6_000;
  const parts = fc.array(fc.tuple(fc.nat(LENGTH - 1), fc.integer({ min: 1, max: 700 }), fc.boolean()), {
    maxLength: 60,
  });

  it('that overlap and repeat make the stream, wherever the sequence numbers wrap (row 18)', () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: -LENGTH - 10, max: 10 }), fc.boolean(), (list, iss, isIpv6) => {
        const receiver = new Receiver(isIpv6 ? 'IPv6' : 'IPv4', streamOf(LENGTH), iss | 0);
        for (const [start, length, reads] of list) {
          receiver.arrive(start, Math.min(start + length, LENGTH));
          if (reads) receiver.read();
        }
        for (let start = 0; start < LENGTH; start += 1_000) receiver.arrive(start, start + 1_000);
        receiver.finish();
      }),
      { numRuns: 300 },
    );
  });
});

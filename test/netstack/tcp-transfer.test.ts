import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type LinkConditions, StackPair, Transfer } from './stack-pair.js';

const HOUR_MS = 3_600_000;

interface Outcome {
  readonly ms: number;
  readonly pair: StackPair;
  readonly client: Transfer;
  readonly server: Transfer;
}

/** Sends bytes both ways over a link and closes; every byte has to arrive, and nothing may be left behind. */
function transfer(
  seed: number,
  conditions: LinkConditions,
  bytes: number,
  options: { isIpv6?: boolean; mtu?: number; verifies?: boolean } = {},
): Outcome {
  const pair = new StackPair(seed, conditions, options);
  const up = pair.random.bytes(bytes);
  const down = pair.random.bytes(Math.min(bytes, 50_000));
  let server: Transfer | undefined;
  pair.b.stack.tcp.listen(undefined, 80);
  pair.b.onAccept = (flow) => {
    server = new Transfer(pair.b, flow, down);
    server.take();
  };
  const client = new Transfer(pair.a, pair.a.connect(80), up);
  const startMs = pair.events.nowMs;

  const isDone = pair.advanceUntil(() => client.closedBy !== undefined && server?.closedBy !== undefined, HOUR_MS);

  assert.ok(isDone, `seed ${seed}: it does not end`);
  const ms = pair.events.nowMs - startMs;
  assert.ok(Buffer.compare(server!.bytes, up) === 0, `seed ${seed}: up`);
  assert.ok(Buffer.compare(client.bytes, down) === 0, `seed ${seed}: down`);
  pair.advance(61_000);
  for (const { stack } of [pair.a, pair.b]) {
    assert.equal(stack.tcp.flowCount, 0, `seed ${seed}: a record is left`);
    assert.equal(stack.pool.usedBytes, 0, `seed ${seed}: memory is left`);
  }
  return { ms, pair, client, server: server! };
}

describe('bytes arrive exactly', () => {
  const cases: readonly (readonly [string, LinkConditions, number])[] = [
    ['on a good link', { delayMs: 10 }, 500_000],
    ['with 5 % loss', { delayMs: 10, lossRate: 0.05 }, 200_000],
    ['with 20 % loss', { delayMs: 5, lossRate: 0.2 }, 40_000],
    ['with reordering', { delayMs: 10, jitterMs: 20 }, 500_000],
    [
      'with loss, reordering and duplicates',
      { delayMs: 10, jitterMs: 20, lossRate: 0.05, duplicateRate: 0.05 },
      150_000,
    ],
    ['through a queue of eight packets', { delayMs: 10, rateBits: 10e6, queueBytes: 12_000 }, 500_000],
  ];
  for (const [name, conditions, bytes] of cases) {
    it(name, () => {
      for (let seed = 1; seed <= 10; seed++) transfer(seed, conditions, bytes);
    });
  }

  it('through a link that corrupts, with checksums tested', () => {
    for (let seed = 1; seed <= 10; seed++)
      transfer(seed, { delayMs: 5, corruptRate: 0.05 }, 100_000, { verifies: true });
  });

  it('over IPv6, and at MTUs from 576 to 65,535', () => {
    transfer(1, { delayMs: 10, lossRate: 0.02 }, 300_000, { isIpv6: true });
    for (const mtu of [576, 1_280, 9_000, 65_535]) transfer(mtu, { delayMs: 10 }, 300_000, { mtu });
  });

  it('for no byte at all, one, and around the bounds of a segment and a block', () => {
    for (const bytes of [0, 1, 1_367, 1_368, 1_369, 16_383, 16_384, 16_385, 65_535, 65_536])
      transfer(bytes + 1, { delayMs: 1 }, bytes);
  });
});

describe('the rate', () => {
  it('reaches 80 % of a path of 200 Mbit/s and 50 ms without loss, slow start included', () => {
    const bytes = 100_000_000;
    const { ms } = transfer(1, { delayMs: 25, rateBits: 200e6, queueBytes: 1_250_000 }, bytes);
    assert.ok((bytes * 8) / ms / 1_000 > 160, `${ms} ms`);
  });

  it('does not fall with jitter alone: what looked lost is taken back (row 28)', () => {
    const bytes = 20_000_000;
    const still = transfer(1, { delayMs: 35 }, bytes).ms;
    const jittered = transfer(1, { delayMs: 20, jitterMs: 30 }, bytes).ms;
    assert.ok(jittered < 6 * still, `${jittered} ms against ${still} ms`);
  });

  it('repairs a lost tail by a probe, without a timeout (RFC 8985 §7)', () => {
    let dropped = 0;
    const { ms } = transfer(
      1,
      {
        delayMs: 50,
        // The last data segment is short: 500,000 is no multiple of the segment size.
        filter: (packet) => {
          const isTail = packet.length > 100 && packet.length < 1_300 && packet[33]! & 1;
          return !(isTail && dropped++ === 0);
        },
      },
      100_000,
    );
    assert.equal(dropped > 0, true);
    assert.ok(ms < 1_500, `${ms} ms`);
  });
});

describe('10,000 connections', () => {
  it('leave no record, no port and no memory behind', () => {
    const pair = new StackPair(1, { delayMs: 1 });
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => new Transfer(pair.b, flow, new Uint8Array(10)).take();
    for (let i = 0; i < 10_000; i++) {
      new Transfer(pair.a, pair.a.connect(80), new Uint8Array(10));
      pair.advance(10);
    }
    pair.advance(70_000);
    for (const { stack } of [pair.a, pair.b]) {
      assert.equal(stack.tcp.flowCount, 0);
      assert.equal(stack.pool.usedBytes, 0);
      assert.equal(stack.nextDeadline(), Infinity);
    }
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type LinkConditions, StackPair, Transfer } from '../stack-pair.js';

/** @returns Megabits of payload per second that a download reaches between two points of time. */
function rateOf(seed: number, conditions: LinkConditions, fromMs: number, untilMs: number): number {
  const pair = new StackPair(seed, conditions);
  const chunk = new Uint8Array(256 * 1024);
  pair.b.stack.tcp.listen(undefined, 80);
  let server: Transfer | undefined;
  pair.b.onAccept = (flow) => {
    // It reads only: the side that was empty would close.
    flow.maxSendBytes = 0;
    server = new Transfer(pair.b, flow, new Uint8Array(1));
  };
  const flow = pair.a.connect(80);
  pair.a.onEvent = () => {
    flow.events = 0;
    while (pair.a.stack.tcp.write(flow, chunk, 0, chunk.length) === chunk.length);
  };
  pair.advance(fromMs);
  const before = server!.receivedBytes;
  server!.received.length = 0;
  for (let ms = fromMs; ms < untilMs; ms += 1_000) {
    pair.advance(1_000);
    server!.received.length = 0;
  }
  return ((server!.receivedBytes - before) * 8) / (untilMs - fromMs) / 1_000;
}

describe('one connection in the simulator', () => {
  it('uses 90 % of 200 Mbit/s at 50 ms without random loss, three seconds into the transfer', () => {
    const rate = rateOf(1, { delayMs: 25, rateBits: 200e6, queueBytes: 1_250_000 }, 3_000, 7_000);
    assert.ok(rate >= 180, `${rate} Mbit/s`);
  });

  /**
   * CUBIC's response function (RFC 9438 §5.1): 1.054 × (RTT / p)^(3/4) = 19.8 segments at 50 ms and 0.1 %. Below the Reno-friendly
   * bound sqrt(3 / (2 p)) = 38.7 segments, which is what Linux's CUBIC gets on this path: 38.7 × 1,368 B / 50 ms = 8.5 Mbit/s.
   */
  it('gets 0.9 of the rate of CUBIC at 50 ms with 0.1 % loss (RFC 9438 §5.1)', () => {
    const segments = Math.max(1.054 * (0.05 / 0.001) ** 0.75, Math.sqrt(3 / (2 * 0.001)));
    const cubic = (segments * 1_368 * 8) / 0.05 / 1e6;
    let sum = 0;
    for (let seed = 1; seed <= 3; seed++) sum += rateOf(seed, { delayMs: 25, lossRate: 0.001 }, 5_000, 45_000);
    assert.ok(sum / 3 >= 0.9 * cubic, `${sum / 3} Mbit/s, of ${cubic}`);
  });
});

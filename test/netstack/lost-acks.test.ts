import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { StackPair } from './stack-pair.js';

const FIVE_MINUTES_MS = 300_000;

describe('an ACK that is lost', () => {
  it('does not make the timeout grow: the answer to the segment that came again echoes its stamp (RFC 7323 §4.3)', () => {
    const pair = new StackPair(1, { delayMs: 5 });
    pair.b.stack.tcp.listen(undefined, 80);
    const flow = pair.a.connect(80);
    pair.advance(1_000);
    // Two of each three ACKs are lost.
    pair.b.conditions = { delayMs: 5, filter: (_, number) => number % 3 === 0 };

    for (let i = 0; i < 50; i++) {
      pair.a.stack.tcp.write(flow, new Uint8Array(100), 0, 100);
      pair.a.pump();
      const isAcknowledged = pair.advanceUntil(() => flow.records.count === 0, FIVE_MINUTES_MS);
      assert.ok(isAcknowledged, `write ${i}: no ACK`);
      assert.ok(flow.rtt.rtoMs <= 2_000, `write ${i}: the timeout is ${flow.rtt.rtoMs} ms on a path of 10 ms`);
    }
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Connections, OPEN_PORT, WAYS } from './connection-ways.js';
import { StackPair } from './stack-pair.js';
import { assertEmpty } from './transfer-run.js';

const CONNECTIONS = 10_000;
/** R2 of data that nobody acknowledges is 924 s, of a program that let go less. */
const LONGEST_END_MS = 1_200_000;

/** Tests that the listener of the server counts nothing, and that its client could take any port again. */
function assertPortsFree({ a, b }: StackPair): void {
  const listener = b.stack.tcp.listenerOf(b.address, OPEN_PORT)!;
  assert.deepEqual([listener.halfOpenCount, listener.accepted.length], [0, 0]);
  assert.equal(b.stack.tcp.handshakes.overflows, 0);
  const flow = a.stack.tcp.connect(a.address, b.address, OPEN_PORT, a.nowMs, 32_768);
  assert.notEqual(flow, undefined);
  a.stack.tcp.abort(flow!);
  a.pump();
}

describe('connections that ended', () => {
  for (const way of WAYS)
    it(`leave nothing behind: ${way.name}`, () => {
      const pair = new StackPair(1, { delayMs: 2 });
      const connections = new Connections(pair);
      for (let i = 0; i < 20; i++) {
        connections.open(way);
        pair.advance(3);
      }
      pair.advance(2_000);
      // The server keeps what nobody ends in this way.
      if (way.last === 'nothing') connections.endHeld();
      pair.advance(LONGEST_END_MS);
      assertEmpty(pair, way.name);
      assertPortsFree(pair);
    });

  it(`leave nothing behind: ${CONNECTIONS} of them, each way in turn and all at once`, () => {
    const pair = new StackPair(2, { delayMs: 2 });
    const connections = new Connections(pair);
    for (let i = 0; i < CONNECTIONS; i++) {
      connections.open(WAYS[i % WAYS.length]!);
      pair.advance(7);
    }
    pair.advance(2_000);
    connections.endHeld();
    pair.advance(LONGEST_END_MS);
    assertEmpty(pair, 'all ways');
    assertPortsFree(pair);
  });

  it('leave nothing behind when the listener closes first: half open, waiting to be taken, and taken', () => {
    const pair = new StackPair(3, { delayMs: 2 });
    const { a, b } = pair;
    const listener = b.stack.tcp.listen(undefined, OPEN_PORT)!;
    // Nobody takes them: the host sees no event of the listener.
    listener.isInEventQueue = true;
    for (let i = 0; i < 50; i++) a.connect(OPEN_PORT);
    pair.advance(5);
    assert.equal(listener.halfOpenCount, 50);
    for (let i = 0; i < 50; i++) a.connect(OPEN_PORT);
    pair.advance(3);
    assert.deepEqual([listener.halfOpenCount, listener.accepted.length], [50, 50]);

    b.stack.tcp.closeListener(listener);
    b.pump();

    assert.equal(b.stack.tcp.flowCount, 0);
    pair.advance(LONGEST_END_MS);
    assertEmpty(pair, 'listener');
  });
});

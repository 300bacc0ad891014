import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { Connections, WAYS } from '../netstack/connection-ways.js';
import { StackPair } from '../netstack/stack-pair.js';
import { assertEmpty } from '../netstack/transfer-run.js';

const ROUNDS = 9;
/** V8 keeps more or less for itself: the least of some rounds says what the connections left. */
const ROUNDS_COMPARED = 4;
const CONNECTIONS_PER_ROUND = 2_000;
/** After the longest end, R2 of data that nobody acknowledges. */
const ROUND_MS = 1_200_000;
/** A record of 32 bytes for each connection would be more. */
const MAX_GROWTH_BYTES = 32 * CONNECTIONS_PER_ROUND;

const gc = globalThis.gc;
const skip = gc === undefined ? 'needs --expose-gc' : false;

describe('TCP connections that ended', () => {
  it('cost no memory, however many there were and however they ended', { skip }, async () => {
    const pair = new StackPair(1, { delayMs: 2 });
    const after: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      openAndEnd(pair);
      after.push(await memoryBytes());
    }
    // The first round compiles code and makes the tables grow.
    const early = Math.min(...after.slice(1, 1 + ROUNDS_COMPARED));
    const growth = (Math.min(...after.slice(-ROUNDS_COMPARED)) - early) / ROUNDS_COMPARED;
    assert.ok(growth < MAX_GROWTH_BYTES, `${growth.toFixed(0)} bytes more after each round: ${after.join(', ')}`);
  });
});

function openAndEnd(pair: StackPair): void {
  const connections = new Connections(pair);
  for (let i = 0; i < CONNECTIONS_PER_ROUND; i++) {
    connections.open(WAYS[i % WAYS.length]!);
    pair.advance(7);
  }
  pair.advance(2_000);
  connections.endHeld();
  pair.advance(ROUND_MS);
  assertEmpty(pair, 'round');
}

/** Existing garbage, and the garbage of its finalizers, is collected first. */
async function memoryBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    gc!();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

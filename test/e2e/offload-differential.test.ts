/**
 * The same packets go through a tunnel with offloads and through one without: what arrives is the same, packet by packet.
 *
 * Topology: `test/lab/packet-comparison.ts`.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { assertSamePackets } from '../addon/packet-order.js';
import { plainWiretype, wiretype } from '../lab/implementation.js';
import { carryPackets, type Outcome } from '../lab/packet-comparison.js';

const TIMEOUT_MS = 240_000;
const ENOUGH_PACKETS = 1_000;

describe('random packets', { concurrency: 2 }, () => {
  let plain: Promise<Outcome> | undefined;
  const plainOutcome = (t: TestContext): Promise<Outcome> => {
    plain ??= carryPackets(t, { left: plainWiretype, right: plainWiretype });
    return plain;
  };

  it('arrive through a tunnel without offloads', { timeout: TIMEOUT_MS }, async (t) => {
    const { packets } = await plainOutcome(t);
    assert.ok(packets.length > ENOUGH_PACKETS, `${packets.length} packets`);
  });

  for (const [left, right, outer] of [
    [wiretype, wiretype, 4],
    [wiretype, wiretype, 6],
    [wiretype, plainWiretype, 4],
    [plainWiretype, wiretype, 4],
  ] as const)
    it(`arrive the same from ${left.title} at ${right.title} over IPv${outer}`, { timeout: TIMEOUT_MS }, async (t) => {
      const [expected, actual] = [await plainOutcome(t), await carryPackets(t, { left, right, outer })];

      assertSamePackets(actual.packets, expected.packets);
      if (left === right) assert.ok(actual.writes < expected.writes, `${actual.writes} writes: nothing was merged`);
    });
});

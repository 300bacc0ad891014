import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Policy } from '../../src/policy/policy.js';
import { StackPair, Transfer } from '../netstack/stack-pair.js';
import { ip, NOON_UNIX_MS, pass, phone } from './small-gateway.js';

const SECONDS = 20;
/** The first seconds are counted apart: slow start runs into the bound at twice its rate, and repairs what it lost. */
const START_SECONDS = 5;
const PHONE_ADDRESS = '10.0.0.1';
/** Payload of a full segment in the bytes of its packet, at an MTU of 1,420. */
const PAYLOAD_SHARE = 1_368 / 1_420;

interface Share {
  /** Payload that arrived, as a share of what the bound lets through: after the start, and from the first packet on. */
  readonly ofBound: number;
  readonly withStart: number;
  readonly drops: number;
}

/** Runs one TCP stream through the stages on virtual time. */
function runStream(direction: 'up' | 'down', bitsPerSecond: number, roundTripMs: number, seed = 1): Share {
  const pair = new StackPair(seed, { delayMs: roundTripMs / 2 });
  const policy = new Policy({
    gatewayAddresses: [],
    subnets: [],
    timeZone: 'UTC',
    seed: 1,
    unixMs: NOON_UNIX_MS,
    nowMs: 0,
  });
  const limits = { upBitsPerSecond: bitsPerSecond, downBitsPerSecond: bitsPerSecond };
  policy.putDevice(phone({ addresses: [ip(PHONE_ADDRESS)], limits }), 0);
  const through = (stage: 'inbound' | 'outbound') => (packet: Uint8Array) =>
    pass(policy, stage, pair.events.nowMs, packet)[0];
  pair.a.conditions = { delayMs: roundTripMs / 2, filter: through('inbound') };
  pair.b.conditions = { delayMs: roundTripMs / 2, filter: through('outbound') };

  const data = new Uint8Array((bitsPerSecond / 8) * (SECONDS + START_SECONDS + 5));
  const nothing = new Uint8Array(1);
  let server: Transfer | undefined;
  pair.b.stack.tcp.listen(undefined, 80);
  pair.b.onAccept = (flow) => {
    server = new Transfer(pair.b, flow, direction === 'down' ? data : nothing);
    server.take();
  };
  const client = new Transfer(pair.a, pair.a.connect(80), direction === 'up' ? data : nothing);
  const received = (): number => (direction === 'up' ? (server?.receivedBytes ?? 0) : client.receivedBytes);
  const share = (bytes: number, seconds: number): number => (bytes * 8) / seconds / (bitsPerSecond * PAYLOAD_SHARE);
  pair.advance(START_SECONDS * 1_000);
  const startBytes = received();
  pair.advance(SECONDS * 1_000);
  const { counts } = policy.report('phone', pair.events.nowMs)!;
  return {
    ofBound: share(received() - startBytes, SECONDS),
    withStart: share(received(), START_SECONDS + SECONDS),
    drops: counts.upRateDrops + counts.downRateDrops,
  };
}

describe('One TCP stream behind a rate limit', () => {
  for (const direction of ['up', 'down'] as const)
    for (const megabits of [1, 10, 50])
      for (const roundTripMs of [5, 20, 50, 100])
        it(`reaches 85 % of ${megabits} Mbit/s ${direction}, at a round trip of ${roundTripMs} ms`, (test) => {
          const { ofBound, withStart, drops } = runStream(direction, megabits * 1e6, roundTripMs);
          test.diagnostic(
            `${(ofBound * 100).toFixed(1)} %, with the start ${(withStart * 100).toFixed(1)} %, ${drops} drops`,
          );
          assert.ok(ofBound >= 0.85, `${ofBound}`);
          assert.ok(withStart >= 0.8, `with the start ${withStart}`);
          assert.ok(ofBound <= 1.02, `${ofBound}`);
          assert.ok(drops > 0, 'the bound was not reached');
        });
});

import { setTimeout as pause } from 'node:timers/promises';

import { PROXY } from '../contender.js';
import { roundTrips } from '../load/ping.js';
import type { Goal, Measure, Quantity } from '../measure.js';
import { quantile } from '../statistics.js';
import { FarPort, NEAR_ADDRESS, type RootlessPair, rootlessPair, startClient } from './rootless-pair.js';
import { type Direction, endOf } from './throughput.js';

const INTERVAL_SECONDS = 0.005;
/** Between the end of the transfer and the echo requests of the idle tunnel. */
const DRAIN_MS = 300;
const PORTS = { from: FarPort.Sink, to: FarPort.Source } as const;

/** Echo requests of the kernel to the program, beside a transfer through the same tunnel, and after it. */
export const pingUnderLoad: Measure = {
  id: 'rootless-ping',
  quantities: [
    quantity('rootless-ping-idle', 'ping of the idle program'),
    quantity('rootless-ping-from', 'ping during a transfer from it', { thanOwn: 'rootless-ping-idle', atMost: 3 }),
    quantity('rootless-ping-to', 'ping during a transfer to it', { thanOwn: 'rootless-ping-idle', atMost: 3 }),
  ],
  suits: ({ title }) => title !== PROXY,
  async take(site, { seconds }) {
    const pair = await rootlessPair(site);
    const from = await pingBeside(pair, 'from', seconds);
    const to = await pingBeside(pair, 'to', seconds);
    return {
      'rootless-ping-idle': quantile([...from.idle, ...to.idle], 0.99),
      'rootless-ping-from': quantile(from.loaded, 0.99),
      'rootless-ping-to': quantile(to.loaded, 0.99),
    };
  },
};

function quantity(id: string, title: string, goal?: Goal): Quantity {
  return { id, title: `${title}, 99th percentile`, unit: 'ms', digits: 2, isMoreBetter: false, ...(goal && { goal }) };
}

/** @returns Round-trip times in milliseconds. */
async function pingBeside(
  pair: RootlessPair,
  direction: Direction,
  seconds: number,
): Promise<{ loaded: number[]; idle: number[] }> {
  const { client } = startClient(pair, direction, PORTS[direction], seconds);
  const echo = {
    count: Math.max(5, Math.floor((seconds - 0.2) / INTERVAL_SECONDS)),
    intervalSeconds: INTERVAL_SECONDS,
  };
  try {
    await client.says(/^begin$/m);
    const loaded = await roundTrips(pair.far, NEAR_ADDRESS, echo);
    await endOf(client, seconds);
    await pause(DRAIN_MS);
    return { loaded, idle: await roundTrips(pair.far, NEAR_ADDRESS, { ...echo, count: Math.ceil(echo.count / 2) }) };
  } finally {
    await client.stop();
  }
}

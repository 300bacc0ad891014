import { NATS, SimMesh } from '../../test/mesh/sim-mesh.js';
import { HUB } from '../contender.js';
import type { Measure } from '../measure.js';

const GAP_MS = 5;
const PACKETS = 200;

/** On virtual time: from the first packet to the direct path, behind easy NATs with a round trip of 20 ms. */
export const firstDirect: Measure = {
  id: 'mesh-first',
  quantities: [
    {
      id: 'mesh-first-direct',
      title: 'first packet to direct path, easy NATs, 20 ms',
      unit: 'ms',
      digits: 0,
      isMoreBetter: false,
      goal: { atMost: 1_000 },
    },
    {
      id: 'mesh-first-lost',
      title: 'packets lost on the change, of 400',
      unit: '',
      digits: 0,
      isMoreBetter: false,
      goal: { atMost: 0 },
    },
  ],
  per: 'run',
  suits: ({ title }) => title === HUB,
  async take() {
    const mesh = await SimMesh.open({ seed: 1, nats: [NATS.easy, NATS.easy], delayMs: 20, lossRate: 0 });
    const [left, right] = [mesh.agents[0]!, mesh.agents[1]!];
    const startMs = mesh.simulation.nowMs;
    let directMs = Infinity;
    for (let number = 0; number < PACKETS; number++) {
      left.send(right, number);
      right.send(left, number);
      await mesh.advance(GAP_MS);
      if (left.paths.views().get('1')!.kind === 'direct')
        directMs = Math.min(directMs, mesh.simulation.nowMs - startMs);
    }
    await mesh.advance(1_000);
    return { 'mesh-first-direct': directMs, 'mesh-first-lost': 2 * PACKETS - left.numbers.size - right.numbers.size };
  },
};

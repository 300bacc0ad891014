/** An agent whose UDP is blocked, and its return, with whole devices on virtual time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { SimAgent } from '../sim-agent.js';
import { NATS, SimMesh } from '../sim-mesh.js';

const HUB = '203.0.113.10';
const GAP_MS = 20;

describe('An agent that is carried', () => {
  for (const carrierDelayMs of [2, 30, 150])
    for (const nat of ['easy', 'hard'] as const)
      it(`loses nothing when it comes back to UDP: carrier ${carrierDelayMs} ms one way, NAT ${nat}`, async () => {
        const nats = [NATS[nat], NATS.hard];
        const mesh = await SimMesh.open({ seed: 3, nats, delayMs: 20, lossRate: 0, carrierDelayMs });
        const talk = new Talk(mesh);
        const [left] = talk.pair;
        blockUdp(mesh, talk.pair);
        await talk.until(() => left.paths.hub.way === 'carried', 60_000);
        await talk.until(() => false, 1_000);

        mesh.simulation.network.heal();
        const first = talk.count;
        await talk.until(() => left.paths.hub.way === 'udp', 60_000);
        await talk.until(() => false, 10_000);

        assert.equal(left.paths.hub.way, 'udp');
        await mesh.advance(1_000);
        assert.deepEqual(talk.lostSince(first), [[], []]);
      });
});

/** Both agents send to each other all the time, while the hub tidies its tables up. */
class Talk {
  readonly pair: readonly [SimAgent, SimAgent];
  count = 0;
  readonly #mesh: SimMesh;

  constructor(mesh: SimMesh) {
    this.#mesh = mesh;
    this.pair = [mesh.agents[0]!, mesh.agents[1]!];
  }

  async until(isDone: () => boolean, limitMs: number): Promise<void> {
    const [left, right] = this.pair;
    for (let ms = 0; ms < limitMs && !isDone(); ms += GAP_MS) {
      left.send(right, this.count);
      right.send(left, this.count++);
      await this.#mesh.advance(GAP_MS);
      this.#mesh.table.expire(this.#mesh.simulation.nowMs);
    }
  }

  /** The numbers that did not come, at each. */
  lostSince(first: number): number[][] {
    const sent = Array.from({ length: this.count - first }, (_, index) => first + index);
    return this.pair.map(({ numbers }) => sent.filter((number) => !numbers.has(number)));
  }
}

function blockUdp(mesh: SimMesh, [left, right]: readonly [SimAgent, SimAgent]): void {
  mesh.simulation.network.partition(left.nat.address, HUB);
  mesh.simulation.network.partition(left.nat.address, right.nat.address);
  left.paths.networkChanged();
}

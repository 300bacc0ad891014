/** Every pair of NATs: what comes out, after how long, and what is lost on the change. The table is that of docs/mesh.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { NATS, type NatName, SimMesh } from '../sim-mesh.js';

const NAMES = Object.keys(NATS) as NatName[];
const PAIRS = NAMES.flatMap((a, i) => NAMES.slice(i).map((b) => [a, b] as const));
const CONDITIONS = [
  { delayMs: 20, lossRate: 0 },
  { delayMs: 200, lossRate: 0 },
  // The first handshake may be lost with another seed, which WireGuard sends again after five seconds.
  { delayMs: 20, lossRate: 0.05, seed: 2 },
] as const;
const PACKETS = 200;
const GAP_MS = 20;

interface Outcome {
  readonly path: 'direct' | 'relay';
  readonly afterMs: number;
  readonly lost: number;
}

describe('Two agents behind NATs', () => {
  const rows: string[] = [];

  for (const [a, b] of PAIRS)
    it(`find the best path there is: ${a} and ${b}`, async () => {
      const outcomes: Outcome[] = [];
      for (const conditions of CONDITIONS) outcomes.push(await tryPair(a, b, conditions));
      const isPossible = !(b === 'hard' && (a === 'hard' || a === 'easy'));
      for (const { path } of outcomes) assert.equal(path, isPossible ? 'direct' : 'relay');
      for (const { lost } of outcomes.slice(0, 2))
        assert.equal(lost, 0, 'nothing is lost where the network loses nothing');
      assert.ok(!isPossible || outcomes[0]!.afterMs <= 1_000, `${outcomes[0]!.afterMs} ms`);
      rows.push(`| ${a} – ${b} | ${outcomes.map(outcomeText).join(' | ')} |`);
    });

  it('come out as the table of docs/mesh.md says', () => {
    const documented = readFileSync('docs/mesh.md', 'utf8')
      .split('\n')
      .filter((line) => /^\| \w+ – \w+ \|/.test(line));
    assert.deepEqual(documented, rows, `the table is:\n${rows.join('\n')}`);
  });

  it('get through although an early packet has taken the port', async () => {
    const stray = { ...NATS.easy, acceptsOwn: true };
    const mesh = await SimMesh.open({ seed: 5, nats: [stray, stray], delayMs: 20, lossRate: 0 });
    const [left, right] = [mesh.agents[0]!, mesh.agents[1]!];
    // A probe of the left side comes before the right side has sent anything: its NAT keeps the entry.
    mesh.simulation.network.partitionOneWay(right.nat.address, left.nat.address);
    for (let number = 0; number < 50; number++) {
      left.send(right, number);
      await mesh.advance(GAP_MS);
    }
    mesh.simulation.network.heal();
    for (let number = 50; number < 6_000 && left.paths.views().get('1')!.kind !== 'direct'; number++) {
      left.send(right, number);
      await mesh.advance(GAP_MS);
    }
    assert.equal(left.paths.views().get('1')!.kind, 'direct');
  });
});

async function tryPair(
  a: NatName,
  b: NatName,
  conditions: { delayMs: number; lossRate: number; seed?: number },
): Promise<Outcome> {
  const mesh = await SimMesh.open({ seed: 1, nats: [NATS[a], NATS[b]], ...conditions });
  const [left, right] = [mesh.agents[0]!, mesh.agents[1]!];
  const startMs = mesh.simulation.nowMs;
  let directMs: number | undefined;
  for (let number = 0; number < PACKETS; number++) {
    left.send(right, number);
    right.send(left, number);
    await mesh.advance(GAP_MS);
    if (
      directMs === undefined &&
      left.paths.views().get('1')!.kind === 'direct' &&
      right.paths.views().get('0')!.kind === 'direct'
    )
      directMs = mesh.simulation.nowMs - startMs;
  }
  await mesh.advance(1_000);
  const lost = 2 * PACKETS - left.numbers.size - right.numbers.size;
  return { path: directMs === undefined ? 'relay' : 'direct', afterMs: directMs ?? 0, lost };
}

function outcomeText({ path, afterMs, lost }: Outcome): string {
  return path === 'relay' ? `relay, ${lost} lost` : `direct after ${afterMs} ms, ${lost} lost`;
}

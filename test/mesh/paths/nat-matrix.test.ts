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

  for (const [open, withinMs] of [
    ['first', 60_000],
    ['second', 140_000],
  ] as const)
    it(`get through although an early packet has taken the port of the ${open} one, after a silence`, async () => {
      const stray = { ...NATS.easy, acceptsOwn: true };
      const nats = open === 'first' ? [stray, NATS.easy] : [NATS.easy, stray];
      const mesh = await SimMesh.open({ seed: 5, nats, delayMs: 20, lossRate: 0 });
      const [early, late] = open === 'first' ? [...mesh.agents].reverse() : mesh.agents;
      // A probe comes before the other side has sent anything there: its NAT keeps the entry for 30 seconds.
      const { endpoint } = mesh.table.node(late!.id)!;
      early!.paths.punch(late!.id, [{ endpoint: endpoint!, kind: 'observed' }], 0);
      await mesh.advance(1_000);
      const startMs = mesh.simulation.nowMs;
      const isDirect = (): boolean => late!.paths.views().get(early!.id)!.kind === 'direct';
      for (let number = 0; number < 1_000 && !isDirect(); number++) {
        early!.send(late!, number);
        late!.send(early!, number);
        await mesh.advance(10 * GAP_MS);
      }
      const afterMs = mesh.simulation.nowMs - startMs;
      assert.ok(isDirect() && afterMs > 30_000 && afterMs < withinMs, `${afterMs} ms`);
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

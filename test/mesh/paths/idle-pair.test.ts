/** The traffic and the wake-ups of agents that have nothing to say, and how soon they notice trouble then; whole devices on virtual time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isStun } from '../../../src/mesh/probes/stun-message.js';
import type { SimAgent } from '../sim-agent.js';
import { NATS, type NatName, SimMesh } from '../sim-mesh.js';

const HUB = '203.0.113.10';
const KEEPALIVE_MS = 25_000;
/** An idle session with the hub is renewed by the first keepalive after REKEY_AFTER_TIME (whitepaper §6.1). */
const RENEWAL_MS = 125_000;
const HOUR_MS = 3_600_000;
const BYTES = { keepalive: 32, initiation: 148, response: 92 };

describe('An idle agent', () => {
  for (const [nat, path] of [
    ['easy', 'direct'],
    ['hard', 'relay'],
  ] as const)
    it(`sends a keepalive to the hub every 25 s, and renews that session: nothing else, for an hour (path: ${path})`, async () => {
      const { mesh, left } = await openPair(nat);
      assert.equal(left.paths.views().get('1')?.kind, path);
      await mesh.advance(70_000);
      const startMs = mesh.simulation.nowMs;
      await mesh.advance(HOUR_MS);

      const handshakes = countDatagrams(mesh, left, startMs, BYTES.initiation);
      const keepalives = countDatagrams(mesh, left, startMs, BYTES.keepalive);
      assert.ok(handshakes <= Math.ceil(HOUR_MS / RENEWAL_MS), `${handshakes} handshakes`);
      assert.equal(countDatagrams(mesh, left, startMs, BYTES.response), handshakes);
      assert.ok(keepalives - handshakes <= HOUR_MS / KEEPALIVE_MS, `${keepalives} keepalives, one of each handshake`);
      assert.equal(countDatagrams(mesh, left, startMs), keepalives + 2 * handshakes, 'and no others');
      const wakeUps = [...left.clock.wakeUpsMs].filter((ms) => ms > startMs).length;
      assert.ok(wakeUps <= 3 * 60, `${wakeUps} wake-ups in an hour`);
    });

  it('is carried within 140 s where UDP to the hub is blocked, at the latest', async () => {
    const { mesh, left } = await openPair('easy');
    await mesh.advance(70_000);
    const startMs = mesh.simulation.nowMs;
    while (countDatagrams(mesh, left, startMs, BYTES.response) === 0) await mesh.advance(1_000);
    mesh.simulation.network.partition(left.nat.address, HUB); // a whole session before the next handshake
    await mesh.advance(140_000);
    assert.equal(left.paths.hub.way, 'carried');
  });
});

describe('Agents that talk through the hub', () => {
  it('send it no probes as long as anything comes back', async () => {
    const { mesh, left, right } = await openPair('hard');
    await mesh.advance(70_000);
    const startMs = mesh.simulation.nowMs;
    await talk(mesh, left, right, 300_000);
    assert.equal(hubProbes(mesh, left, startMs), 0);
  });

  it('are carried within 7 s where UDP to the hub is blocked', async () => {
    const { mesh, left, right } = await openPair('hard');
    await talk(mesh, left, right, 10_000); // until the last probe is old enough
    mesh.simulation.network.partition(left.nat.address, HUB);
    await talk(mesh, left, right, 7_000);
    assert.equal(left.paths.hub.way, 'carried');
  });

  it('send few probes for a node that is away', async () => {
    const { mesh, left, right } = await openPair('hard');
    mesh.simulation.network.partition(right.nat.address, HUB);
    const startMs = mesh.simulation.nowMs;
    for (let ms = 0; ms < 60_000; ms += 200) {
      left.send(right, ms);
      await mesh.advance(200);
    }
    const probes = hubProbes(mesh, left, startMs);
    assert.ok(probes >= 5 && probes <= 6, `${probes} probes, which the hub answers`);
    assert.equal(left.paths.hub.way, 'udp');
  });
});

/** Two agents that have talked for some seconds. */
async function openPair(nat: NatName) {
  const mesh = await SimMesh.open({ seed: 5, nats: [NATS[nat], NATS[nat]], delayMs: 20, lossRate: 0 });
  const [left, right] = mesh.agents as [SimAgent, SimAgent];
  await talk(mesh, left, right, 5_000);
  return { mesh, left, right };
}

async function talk(mesh: SimMesh, left: SimAgent, right: SimAgent, forMs: number): Promise<void> {
  for (let ms = 0; ms < forMs; ms += 200) {
    left.send(right, ms);
    right.send(left, ms);
    await mesh.advance(200);
  }
}

/** Datagrams of an agent since a moment, both ways. @param bytes Absent: of any length. */
function countDatagrams(mesh: SimMesh, { nat }: SimAgent, sinceMs: number, bytes?: number): number {
  return mesh.simulation.network.eve.observations.filter(
    ({ atMs, datagram: { from, to, bytes: content } }) =>
      atMs > sinceMs &&
      (from.address === nat.address || to.address === nat.address) &&
      (bytes === undefined || content.length === bytes),
  ).length;
}

/** Probes of an agent to the hub since a moment. */
function hubProbes(mesh: SimMesh, { nat }: SimAgent, sinceMs: number): number {
  return mesh.simulation.network.eve.observations.filter(
    ({ atMs, datagram: { from, to, bytes } }) =>
      atMs > sinceMs && from.address === nat.address && to.address === HUB && isStun(bytes, 0, bytes.length),
  ).length;
}

/** The bound on what a peer that names the addresses of others can aim at them (16 candidates, 10 tries each). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ProbeShots } from '../../../src/mesh/paths/probe-shots.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

const VICTIM = Uint8Array.of(198, 51, 100, 7);

describe('Probes at addresses that a peer names', () => {
  it('leave ten times at most, however often it asks', () => {
    const count = probesOf(200, () => 0);
    assert.equal(count, 16 * 10);
  });

  it('go to 64 addresses at most, however many it names', () => {
    const count = probesOf(200, (second) => second * 16);
    assert.ok(count <= 64 * 10, `${count} probes`);
  });

  it('go on where the peer is heard from, one a second', () => {
    const shots = new ProbeShots(() => {});
    const endpoint = Endpoint.from(VICTIM, 1_000);
    let count = 0;
    const fire = (nowMs: number): void => shots.fire(nowMs, () => count++);
    for (let tries = 0; tries < 20; tries++) {
      shots.add(endpoint, tries);
      fire(tries);
    }
    assert.equal(count, 10);
    for (let atMs = 5_000; atMs < 8_000; atMs += 100) {
      shots.heardFrom(endpoint, atMs);
      fire(atMs);
    }
    assert.equal(count, 13);
  });
});

/** Aims at 16 ports of a host each second. @returns Probes that left. */
function probesOf(seconds: number, firstPort: (second: number) => number): number {
  const shots = new ProbeShots(() => {});
  let count = 0;
  for (let second = 0; second < seconds; second++) {
    const ports = Array.from({ length: 16 }, (_, number) => 1_000 + firstPort(second) + number);
    const candidates = ports.map((port) => ({ endpoint: Endpoint.from(VICTIM, port), kind: 'mapped' as const }));
    shots.aim(candidates, second * 1_000);
    for (const afterMs of [0, 100, 300]) shots.fire(second * 1_000 + afterMs, () => count++);
  }
  return count;
}

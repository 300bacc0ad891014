/**
 * The system refuses runs of datagrams (UDP_SEGMENT) with EIO: they leave one by one, and nothing is lost.
 *
 * Topologies: `test/lab/two-hosts.ts`, `test/lab/packet-comparison.ts`. The refusals come from `test/native/refuse-segments.c`,
 * which stands between the daemon and the C library: which paths the kernel refuses depends on its version.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';

import { assertSamePackets } from '../addon/packet-order.js';
import { CHECKOUT, type Implementation, plainWiretype, wiretype } from '../lab/implementation.js';
import { carryPackets, type Outcome } from '../lab/packet-comparison.js';
import { run } from '../lab/program.js';
import { assertArrivesWhole, assertPings } from '../lab/traffic.js';
import { LEFT, openTunnel, RIGHT } from '../lab/two-hosts.js';

const TIMEOUT_MS = 240_000;
/** A run is tried again after so many datagrams. */
const RETRY_DATAGRAMS = 1_024;

describe('UDP_SEGMENT that is refused with EIO', { concurrency: 2 }, () => {
  const folder = mkdtempSync(join(tmpdir(), `wiretype-e2e-${process.pid}-`));
  const library = join(folder, 'refuse-segments.so');
  before(async () => {
    const source = `${CHECKOUT}test/native/refuse-segments.c`;
    await run('gcc', ['-std=c17', '-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, source]);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Ours on a system that refuses every `interval`th run. */
  const refused = (interval: number, countsFile: string): Implementation => ({
    ...wiretype,
    title: `wiretype whose runs are refused (1 of ${interval})`,
    env: { LD_PRELOAD: library, REFUSE_SEGMENTS: String(interval), REFUSE_SEGMENTS_COUNTS: join(folder, countsFile) },
  });
  /** A letter for each run: "r" if it was refused, "s" if it was sent. */
  const outcomes = (countsFile: string): string[] => [...readFileSync(join(folder, countsFile), 'utf8')];

  let plain: Promise<Outcome> | undefined;
  const plainOutcome = (t: TestContext): Promise<Outcome> => {
    plain ??= carryPackets(t, { left: plainWiretype, right: plainWiretype });
    return plain;
  };

  for (const [interval, outer] of [
    [1, 4],
    [1, 6],
    [3, 4],
  ] as const)
    it(`loses and reorders no packet over IPv${outer}, where one run of ${interval} is refused`, {
      timeout: TIMEOUT_MS,
    }, async (t) => {
      const counts = `packets-${interval}-${outer}`;
      const left = refused(interval, counts);
      const [expected, actual] = await Promise.all([
        plainOutcome(t),
        carryPackets(t, { left, right: wiretype, outer }),
      ]);

      assertSamePackets(actual.packets, expected.packets);
      const refusals = outcomes(counts).filter((letter) => letter === 'r').length;
      assert.ok(refusals > 1, 'tried again after a while');
      if (interval === 1)
        assert.ok(refusals < 2 + (2 * actual.packets.length) / RETRY_DATAGRAMS, `${refusals} refusals`);
      else assert.ok(outcomes(counts).includes('s'), 'sends runs again where they are taken');
    });

  it('leaves TCP and large pings whole on both sides', { timeout: TIMEOUT_MS }, async (t) => {
    const [left, right] = [refused(1, 'left'), refused(2, 'right')];
    const tunnel = await openTunnel(t, { left, right });

    await assertArrivesWhole(tunnel.lab, tunnel.left, tunnel.right, RIGHT.inner4, 8_000_000);
    await assertArrivesWhole(tunnel.lab, tunnel.right, tunnel.left, LEFT.inner6, 8_000_000);
    await assertPings(tunnel.left, RIGHT.inner6, { size: 30_000 });

    for (const counts of ['left', 'right']) assert.ok(outcomes(counts).includes('r'), counts);
  });
});

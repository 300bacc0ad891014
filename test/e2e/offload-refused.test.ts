/**
 * The system refuses runs of datagrams (UDP_SEGMENT) with EIO, or a super-packet that is written to the TUN with EINVAL:
 * they leave one by one, and nothing is lost.
 *
 * Topologies: `test/lab/two-hosts.ts`, `test/lab/packet-comparison.ts`. The refusals come from `test/native/refuse-*.c`,
 * which stand between the daemon and the C library: what the kernel refuses depends on its version.
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
/** Super-packets are tried again after so many batches. */
const RETRY_BATCHES = 1_024;

const folder = mkdtempSync(join(tmpdir(), `wiretype-e2e-${process.pid}-`));
after(() => rmSync(folder, { recursive: true }));

/** Compiles a library for LD_PRELOAD. */
async function compile(name: string): Promise<string> {
  const [source, library] = [`${CHECKOUT}test/native/${name}.c`, join(folder, `${name}.so`)];
  await run('gcc', ['-std=c17', '-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, source]);
  return library;
}

/** A letter for each attempt: "r" if it was refused. */
const outcomes = (countsFile: string): string[] => [...readFileSync(join(folder, countsFile), 'utf8')];

describe('UDP_SEGMENT that is refused with EIO', { concurrency: 2 }, () => {
  let library: string;
  before(async () => {
    library = await compile('refuse-segments');
  });

  /** Ours on a system that refuses every `interval`th run. */
  const refused = (interval: number, countsFile: string): Implementation => ({
    ...wiretype,
    title: `wiretype whose runs are refused (1 of ${interval})`,
    env: { LD_PRELOAD: library, REFUSE_SEGMENTS: String(interval), REFUSE_SEGMENTS_COUNTS: join(folder, countsFile) },
  });

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

describe('a super-packet that the TUN refuses once with EINVAL', () => {
  it('arrives packet by packet, and later ones are merged again after a while', { timeout: TIMEOUT_MS }, async (t) => {
    const env = { LD_PRELOAD: await compile('refuse-merged'), REFUSE_MERGED_LOG: join(folder, 'merged') };
    const right: Implementation = { ...wiretype, title: 'wiretype whose TUN refuses a super-packet', env };
    const tunnel = await openTunnel(t, { left: wiretype, right });

    await assertArrivesWhole(tunnel.lab, tunnel.left, tunnel.right, RIGHT.inner4, 1_000_000);
    assert.equal(outcomes('merged')[0], 'r');
    const answers = String(2 * RETRY_BATCHES);
    await tunnel.right.run('ping', ['-q', '-f', '-c', answers, LEFT.inner4], { timeoutMs: TIMEOUT_MS / 2 });
    await assertArrivesWhole(tunnel.lab, tunnel.left, tunnel.right, RIGHT.inner4, 1_000_000);

    assert.equal(outcomes('merged').filter((letter) => letter === 'r').length, 1);
    assert.ok(outcomes('merged').includes('w'), 'merges again');
  });
});

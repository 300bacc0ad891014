/**
 * Several threads encrypt and decrypt: nothing is lost by it, and nothing overtakes anything.
 *
 * Topology: `test/lab/two-hosts.ts`.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { type Implementation, wireguardGo, wiretype } from '../lab/implementation.js';
import type { Host } from '../lab/namespace.js';
import { assertArrivesWhole } from '../lab/traffic.js';
import { LEFT, openTunnel, RIGHT } from '../lab/two-hosts.js';

const DATAGRAMS = ['-u', '-b', '100M', '-l', '1200', '-n', '20M', '--json', '--connect-timeout', '5000'];
/** The thread's name as the system shows it, such as in `top -H`. */
const THREAD_NAME = 'wiretype-cipher';

describe('cipher threads', () => {
  for (const threads of [2, 4]) {
    it(`keep the order of packets, and all bytes, with ${threads} at each end`, { timeout: 240_000 }, async (t) => {
      const { lab, left, right, leftWireguard } = await openTunnel(t, { left: using(threads), right: using(threads) });

      await assertArrivesWhole(lab, left, right, RIGHT.inner4, 20_000_000);
      await assertArrivesWhole(lab, right, left, LEFT.inner6, 20_000_000);

      // The kernel itself lets packets overtake each other where their sender moves to another core.
      await left.run('taskset', ['-acp', '0', String(leftWireguard.daemon!.pid)]);
      assert.equal(await overtaken(left, right, RIGHT.inner4), 0, 'datagrams that overtook others');
      assert.equal(helpers(leftWireguard.daemon!.pid!), threads - 1, 'the loop is one of the threads');
    });

    it(`understand wireguard-go with ${threads}`, { timeout: 240_000 }, async (t) => {
      const { lab, left, right } = await openTunnel(t, { left: using(threads), right: wireguardGo });
      await assertArrivesWhole(lab, left, right, RIGHT.inner6, 10_000_000);
      await assertArrivesWhole(lab, right, left, LEFT.inner4, 10_000_000);
    });
  }
});

function using(threads: number): Implementation {
  const env = { ...wiretype.env, WIRETYPE_CRYPTO_THREADS: String(threads) };
  return { ...wiretype, title: `wiretype with ${threads} threads`, env };
}

function helpers(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).filter((task) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim() === THREAD_NAME)
    .length;
}

/** How many datagrams of a stream arrived behind a later one. */
async function overtaken(client: Host, server: Host, address: string): Promise<number> {
  const listener = server.start('iperf3', ['-s', '-1', '-B', address, '--forceflush']);
  await listener.says(/Server listening/);
  const { stdout } = await client.attempt('iperf3', ['-c', address, ...DATAGRAMS]);
  await listener.stop();
  const [stream] = JSON.parse(stdout).end.streams;
  assert.ok(stream.udp.packets > 0, stdout);
  return stream.udp.out_of_order;
}

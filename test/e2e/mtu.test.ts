/**
 * The MTU of both interfaces goes up and down while TCP runs both ways: the streams arrive whole.
 *
 * Topology: `test/lab/two-hosts.ts`.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { subjects } from '../lab/implementation.js';
import type { Host } from '../lab/namespace.js';
import type { Program } from '../lab/program.js';
import { LEFT, openTunnel, RIGHT, type Tunnel } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import type { Wireguard } from '../lab/wireguard.js';

const STREAM = fileURLToPath(new URL('../lab/stream.js', import.meta.url));
/** The greatest MTU that fits into 34,816 bytes with 80 bytes of overhead. */
const LARGE_MTU = 34_816 - 80;
/** The streams begin with the greatest: it bounds the segments of a connection. */
const MTUS = [1_280, 9_000, 1_421, LARGE_MTU, 1_300, LARGE_MTU];
const BYTES_PER_MTU = 1_000_000;

describe('the MTU', { concurrency: 2 }, () => {
  for (const subject of subjects)
    for (const outer of [4, 6] as const)
      it(`changes under load, with ${subject.title} over IPv${outer}`, { timeout: 240_000 }, async (t) => {
        const tunnel = await openTunnel(t, { left: subject, right: subject, outer, mtu: LARGE_MTU });
        const { left, right, leftWireguard, rightWireguard } = tunnel;
        const streams = await Promise.all([
          Stream.start(left, right, RIGHT.inner4),
          Stream.start(right, left, LEFT.inner6),
        ]);

        for (const mtu of MTUS)
          for (const wireguard of [leftWireguard, rightWireguard]) {
            await wireguard.setMtu(mtu);
            await assertGoesOn(tunnel);
          }

        for (const stream of streams) await stream.assertArrivedWhole();
      });
});

class Stream {
  readonly #sender: Program;
  readonly #receiver: Program;

  private constructor(sender: Program, receiver: Program) {
    this.#sender = sender;
    this.#receiver = receiver;
  }

  static async start(from: Host, to: Host, address: string): Promise<Stream> {
    const receiver = to.start(process.execPath, [STREAM, 'listen', address, '7001']);
    await receiver.says(/listening/);
    const sender = from.start(process.execPath, [STREAM, 'send', address, '7001'], { isInteractive: true });
    return new Stream(sender, receiver);
  }

  async assertArrivedWhole(): Promise<void> {
    this.#sender.write('end\n');
    assert.deepEqual([await this.#sender.exited, await this.#receiver.exited], [0, 0], this.#sender.stderr);
    assert.equal(lastLine(this.#receiver), lastLine(this.#sender));
  }
}

/** Waits until both sides have received much more than they had. */
async function assertGoesOn({ leftWireguard, rightWireguard }: Tunnel): Promise<void> {
  const before = [await received(leftWireguard), await received(rightWireguard)] as const;
  await waitFor('both streams to go on', async () => {
    const now = [await received(leftWireguard), await received(rightWireguard)] as const;
    return now[0] > before[0] + BYTES_PER_MTU && now[1] > before[1] + BYTES_PER_MTU;
  });
}

async function received(wireguard: Wireguard): Promise<number> {
  return (await wireguard.peer()).rxBytes;
}

function lastLine({ stdout }: Program): string | undefined {
  return stdout.trimEnd().split('\n').at(-1);
}

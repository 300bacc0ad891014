/** Two hosts of programs without WireGuard between them, on virtual time: what takes minutes is tried in milliseconds. */
import { setImmediate as turn } from 'node:timers/promises';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import type { Clock } from '../../src/host/clock.js';
import type { SocketHost } from '../../src/rootless/socket-host.js';
import { StackLoop } from '../../src/rootless/stack-loop.js';

const BATCH_ROWS = 256;
const BATCH_BYTES = 1024 * 1024;

class VirtualClock implements Clock {
  readonly suspensions = 0;
  ms = 1_000;

  nowMs(): number {
    return this.ms;
  }

  callAt(): never {
    throw new Error('the stack keeps its own deadlines');
  }

  callSoon(callback: () => void): void {
    queueMicrotask(callback);
  }
}

export class VirtualHosts {
  readonly clock = new VirtualClock();
  readonly left: SocketHost = this.#createHost(1);
  readonly right: SocketHost = this.#createHost(2);
  /** Packets vanish on a cut link. */
  isCut = false;

  constructor() {
    this.#join(this.left, this.right);
    this.#join(this.right, this.left);
  }

  /** Lets virtual time go from deadline to deadline until `isDone`. @returns Seconds that went by. */
  async runUntil(isDone: () => boolean, limitSeconds = 7_200): Promise<number> {
    const startMs = this.clock.ms;
    const tuns = [this.left.loop.tun, this.right.loop.tun];
    for (;;) {
      await turn();
      if (isDone()) return (this.clock.ms - startMs) / 1_000;
      const dueMs = Math.min(...tuns.map((tun) => tun.nextDeadline()));
      if (dueMs === Infinity || dueMs > startMs + limitSeconds * 1_000) throw new Error('waited in vain');
      this.clock.ms = Math.max(this.clock.ms, dueMs);
      for (const tun of tuns) {
        tun.runDue(this.clock.ms);
        tun.wake();
      }
    }
  }

  #createHost(number: number): SocketHost {
    const addresses = [Uint8Array.of(10, 9, 0, number)];
    const loop = new StackLoop({ name: `host ${number}`, clock: this.clock, addresses, mtu: 1_420 });
    return { loop, lookup: () => Promise.resolve([]), ref: () => {}, unref: () => {} };
  }

  #join(from: SocketHost, to: SocketHost): void {
    const batch = new PacketBatch(BATCH_ROWS, BATCH_BYTES);
    from.loop.tun.onReadable = () => {
      let hasArrived = false;
      for (from.loop.tun.read(batch); batch.count > 0; from.loop.tun.read(batch)) {
        if (this.isCut) continue;
        to.loop.tun.write(batch);
        hasArrived = true;
      }
      if (hasArrived) to.loop.tun.wake();
    };
  }
}

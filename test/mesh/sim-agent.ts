import type { Clock, ScheduledCall } from '../../src/host/clock.js';
import type { MemoryTun } from '../../src/host/memory/tun.js';
import type { Tunnel } from '../../src/host/tunnel.js';
import type { CarrierSocket } from '../../src/mesh/carrier/carrier-socket.js';
import type { PeerPaths } from '../../src/mesh/paths/peer-paths.js';
import type { Nat } from '../../src/sim/nat.js';

/** Timers of a system's clock come back by then, to notice that the machine slept. */
const MAX_TIMER_MS = 30_000;

/** A clock that notes when it wakes its loop: for timers as for datagrams, at whatever millisecond it is. */
export class WatchedClock implements Clock {
  readonly suspensions = 0;
  readonly wakeUpsMs = new Set<number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  callAt(atMs: number, callback: () => void): ScheduledCall {
    return this.#clock.callAt(Math.min(atMs, this.nowMs() + MAX_TIMER_MS), () => this.#run(callback));
  }

  callSoon(callback: () => void): void {
    this.#clock.callSoon(() => this.#run(callback));
  }

  #run(callback: () => void): void {
    this.wakeUpsMs.add(this.nowMs());
    callback();
  }
}

/** An agent of the simulation. */
export class SimAgent {
  readonly id: string;
  readonly inner: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly nat: Nat;
  readonly clock: WatchedClock;
  readonly received: Uint8Array[] = [];
  tunnel!: Tunnel;
  paths!: PeerPaths;
  tun!: MemoryTun;
  carriers!: CarrierSocket;
  endCarrier: () => void = () => {};

  constructor(id: string, publicKey: Uint8Array, nat: Nat, clock: WatchedClock) {
    this.id = id;
    this.inner = Uint8Array.of(100, 64, 0, 2 + Number(id));
    this.publicKey = publicKey;
    this.nat = nat;
    this.clock = clock;
  }

  /** Sends an IPv4 packet with a number to another agent. */
  send(to: SimAgent, number: number): void {
    const packet = new Uint8Array(28);
    const view = new DataView(packet.buffer);
    packet[0] = 0x45;
    view.setUint16(2, packet.length);
    packet[8] = 64;
    packet[9] = 253;
    packet.set(this.inner, 12);
    packet.set(to.inner, 16);
    view.setUint32(20, number);
    this.tun.inject(packet);
  }

  /** The numbers of the packets that came. */
  get numbers(): Set<number> {
    return new Set(this.received.map((packet) => new DataView(packet.buffer, packet.byteOffset).getUint32(20)));
  }
}

import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import type { Clock } from '../../host/clock.js';
import { ForwardingTun } from '../../host/forwarding-tun.js';
import type { Tun } from '../../host/tun.js';
import { isIpv4Address } from '../../netstack/address.js';
import { QUOTED_BYTES } from '../../netstack/icmp/refused.js';
import { IpProblem, IpView } from '../../netstack/ip/ip-view.js';
import { PacketQueue } from '../../netstack/ip/packet-queue.js';
import type { Policy } from '../../policy/policy.js';
import type { StackLoop } from '../../rootless/stack-loop.js';
import { hopLimit, takeHop } from '../../wire/ip-header.js';

const MAX_FORWARDED_BYTES = 1024 * 1024;

export interface PolicedTunOptions {
  readonly loop: StackLoop;
  /** The stack, or the stack and the kernel. */
  readonly inner: Tun;
  readonly policy: Policy;
  readonly clock: Clock;
  /** Called after packets of devices came in. */
  readonly onInbound: () => void;
}

/**
 * The stack as devices reach it: policy stands before it in both directions, and packets from one device to another go
 * around it, as packets (netstack.md §4.6), one hop poorer.
 */
export class PolicedTun extends ForwardingTun {
  readonly #loop: StackLoop;
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #onInbound: () => void;
  readonly #forwarded = new PacketQueue(MAX_FORWARDED_BYTES);
  readonly #view = new IpView();

  constructor({ loop, inner, policy, clock, onInbound }: PolicedTunOptions) {
    super(inner);
    this.#loop = loop;
    this.#policy = policy;
    this.#clock = clock;
    this.#onInbound = onInbound;
  }

  /** Packets between devices that were dropped, since the queue was full. */
  get forwardingDrops(): number {
    return this.#forwarded.dropped;
  }

  override write(batch: PacketBatch): void {
    const nowMs = this.#clock.nowMs();
    this.#policy.inbound(batch, nowMs);
    for (let row = 0; row < batch.count; row++)
      if (batch.verdict[row] === Verdict.Pass && batch.length[row]! > 0 && this.#endsHere(batch, row, nowMs))
        batch.length[row] = 0;
    super.write(batch);
    if (this.#forwarded.count > 0) this.#loop.tun.wake();
    this.#onInbound();
  }

  override read(batch: PacketBatch): number {
    batch.clear();
    if (this.#forwarded.count === 0) super.read(batch);
    else {
      this.#forwarded.emit(batch);
      this.#loop.tun.wake(); // for the packets of the stack
    }
    this.#policy.outbound(batch, this.#clock.nowMs());
    return batch.count;
  }

  override nextDeadline(): number {
    return Math.min(super.nextDeadline(), this.#policy.nextDeadline());
  }

  override runDue(nowMs: number): void {
    this.#policy.runDue(nowMs);
    super.runDue(nowMs);
  }

  /** @returns Whether the stack shall not see the row: it goes to another device, or its hops are used up. */
  #endsHere(batch: PacketBatch, row: number, nowMs: number): boolean {
    const { bytes } = batch;
    const at = batch.offset[row]!;
    const length = batch.length[row]!;
    const isForDevice = this.#policy.isForDevice(batch, row);
    if (hopLimit(bytes, at) <= 1 && this.#isForOthers(bytes, at, length)) {
      this.#refuseHops(bytes, at, length, nowMs);
      return true;
    }
    if (!isForDevice) return false;
    takeHop(bytes, at);
    this.#forwarded.push(bytes.slice(at, at + length));
    return true;
  }

  #isForOthers(bytes: Uint8Array, at: number, length: number): boolean {
    return this.#view.read(bytes, at, length) === IpProblem.Ok && !this.#loop.stack.isOwn(this.#view.destination);
  }

  #refuseHops(bytes: Uint8Array, at: number, length: number, nowMs: number): void {
    const remote = this.#view.source.slice();
    const local = this.#loop.stack.addresses.find((own) => isIpv4Address(own) === isIpv4Address(remote));
    if (local === undefined) return;
    const quoted = bytes.slice(at, at + Math.min(length, QUOTED_BYTES));
    this.#loop.stack.icmp.hopsExceeded({ local, remote, quoted }, nowMs);
  }
}

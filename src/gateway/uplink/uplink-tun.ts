import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import type { Clock } from '../../host/clock.js';
import { ForwardingTun } from '../../host/forwarding-tun.js';
import type { Tun } from '../../host/tun.js';
import { QUOTED_BYTES } from '../../netstack/icmp/refused.js';
import { IpProblem, IpView } from '../../netstack/ip/ip-view.js';
import type { Policy } from '../../policy/policy.js';
import type { StackLoop } from '../../rootless/stack-loop.js';

export interface UplinkTunOptions {
  readonly loop: StackLoop;
  /** The interface of the kernel, which belongs to this from here on. */
  readonly uplink: Tun;
  readonly policy: Policy;
  readonly clock: Clock;
}

/**
 * The stack for the gateway's own addresses, and the kernel's TUN for all others: what the kernel routes, it carries.
 *
 * Policy judges each packet here, since no socket does: what may leave, and what answers it. Both TUNs are read in turn.
 */
export class UplinkTun extends ForwardingTun {
  readonly #loop: StackLoop;
  readonly #uplink: Tun;
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #view = new IpView();
  #lengths = new Uint32Array(0);
  #isUplinkNext = false;
  /** Packets of the host's networks that answer no flow of a device. */
  strayDrops = 0;

  constructor({ loop, uplink, policy, clock }: UplinkTunOptions) {
    super(loop.tun);
    this.#loop = loop;
    this.#uplink = uplink;
    this.#policy = policy;
    this.#clock = clock;
    uplink.onReadable = () => loop.tun.onReadable();
  }

  override write(batch: PacketBatch): void {
    const { count, length } = batch;
    if (this.#lengths.length < count) this.#lengths = new Uint32Array(length.length);
    const nowMs = this.#clock.nowMs();
    let outward = 0;
    for (let row = 0; row < count; row++) {
      this.#lengths[row] = 0;
      if (batch.verdict[row] !== Verdict.Pass || length[row]! === 0 || this.#isOwn(batch, row)) continue;
      if (this.#mayLeave(batch, row, nowMs)) {
        this.#lengths[row] = length[row]!;
        outward++;
      }
      length[row] = 0;
    }
    super.write(batch);
    if (outward === 0) return;
    for (let row = 0; row < count; row++) length[row] = this.#lengths[row]!;
    this.#uplink.write(batch);
  }

  override read(batch: PacketBatch): number {
    this.#isUplinkNext = !this.#isUplinkNext;
    if (this.#isUplinkNext) return this.#readUplink(batch) || super.read(batch);
    return super.read(batch) || this.#readUplink(batch);
  }

  override setReading(isReading: boolean): void {
    super.setReading(isReading);
    this.#uplink.setReading(isReading);
  }

  override nextDeadline(): number {
    return Math.min(super.nextDeadline(), this.#uplink.nextDeadline?.() ?? Infinity);
  }

  override runDue(nowMs: number): void {
    super.runDue(nowMs);
    this.#uplink.runDue?.(nowMs);
  }

  override close(): void {
    super.close();
    this.#uplink.close();
  }

  #readUplink(batch: PacketBatch): number {
    const count = this.#uplink.read(batch);
    const nowMs = this.#clock.nowMs();
    for (let row = 0; row < count; row++) {
      if (batch.verdict[row] !== Verdict.Pass || batch.length[row]! === 0) continue;
      if (this.#policy.mayAnswer(batch, row, nowMs)) continue;
      batch.verdict[row] = Verdict.Filtered;
      this.strayDrops++;
    }
    return count;
  }

  #mayLeave(batch: PacketBatch, row: number, nowMs: number): boolean {
    if (this.#view.read(batch.bytes, batch.offset[row]!, batch.length[row]!) !== IpProblem.Ok) return false;
    if (this.#policy.mayLeaveHost(batch, row, nowMs)) return true;
    const { source: remote, destination: local } = this.#view;
    const at = batch.offset[row]!;
    const quoted = batch.bytes.slice(at, at + Math.min(batch.length[row]!, QUOTED_BYTES));
    this.#loop.stack.icmp.refuse({ local: local.slice(), remote: remote.slice(), quoted }, 'prohibited', nowMs);
    return false;
  }

  #isOwn(batch: PacketBatch, row: number): boolean {
    const problem = this.#view.read(batch.bytes, batch.offset[row]!, batch.length[row]!);
    return problem === IpProblem.Ok && this.#loop.stack.isOwn(this.#view.destination);
  }
}

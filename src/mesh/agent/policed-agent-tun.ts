import type { PacketBatch } from '../../core/packets/packet-batch.js';
import type { Clock } from '../../host/clock.js';
import { ForwardingTun } from '../../host/forwarding-tun.js';
import type { Tun } from '../../host/tun.js';
import type { AgentPolicy } from './agent-policy.js';

/** The TUN of an agent, with its packet filter before it in both directions. */
export class PolicedAgentTun extends ForwardingTun {
  readonly #policy: AgentPolicy;
  readonly #clock: Clock;

  constructor(inner: Tun, policy: AgentPolicy, clock: Clock) {
    super(inner);
    this.#policy = policy;
    this.#clock = clock;
  }

  override write(batch: PacketBatch): void {
    this.#policy.inbound(batch, this.#clock.nowMs());
    super.write(batch);
  }

  override read(batch: PacketBatch): number {
    const rows = super.read(batch);
    if (rows > 0) this.#policy.outbound(batch, this.#clock.nowMs());
    return rows;
  }

  override nextDeadline(): number {
    return Math.min(super.nextDeadline(), this.#policy.nextDeadline());
  }

  override runDue(nowMs: number): void {
    this.#policy.runDue(nowMs);
    super.runDue(nowMs);
  }
}

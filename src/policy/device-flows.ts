import type { PacketBatch } from '../core/packets/packet-batch.js';
import { IPV4_DESTINATION_AT, IPV4_SOURCE_AT, IPV6_DESTINATION_AT, IPV6_SOURCE_AT } from '../wire/ip-header.js';
import type { Flow } from './access.js';
import { FlowMemory } from './flow-memory.js';
import { PacketEnds, PacketKind } from './packet-ends.js';
import type { InnerAddress } from './places.js';

/** Decides about a flow that is not remembered, and counts the decision. */
export type DecideFlow = (flow: Flow, nowMs: number) => boolean;

/** Lets packets from device to device pass where the flow that they belong to may. */
export class DeviceFlows {
  readonly #memory: FlowMemory;
  readonly #decide: DecideFlow;
  readonly #ends = new PacketEnds();
  readonly #quoted = new PacketEnds();
  // The packet at hand, for `#ask`.
  #batch: PacketBatch | undefined;
  #row = 0;
  #from: InnerAddress | undefined;
  #to: InnerAddress | undefined;
  #nowMs = 0;

  constructor(seed: number, decide: DecideFlow) {
    this.#memory = new FlowMemory(seed);
    this.#decide = decide;
  }

  /**
   * Tells whether a packet may pass.
   *
   * @param generation Other than before: rules, devices or addresses have changed.
   */
  passes(
    batch: PacketBatch,
    row: number,
    from: InnerAddress,
    to: InnerAddress,
    generation: number,
    nowMs: number,
  ): boolean {
    const ends = this.#ends;
    const at = batch.offset[row];
    ends.read(batch.bytes, at, at + batch.length[row]);
    switch (ends.kind) {
      case PacketKind.Unreadable:
        return false;
      case PacketKind.LaterFragment:
        this.#memory.selectFragments(from.number, to.number, ends.protocol, ends.fragmentId);
        return this.#memory.isPassing(generation, nowMs);
      case PacketKind.IcmpError:
        return this.#isAboutPassingFlow(batch, row, from, to, generation, nowMs);
    }
    this.#take(batch, row, from, to, nowMs);
    this.#memory.select(from.number, to.number, ends.protocol, ends.sourcePort, ends.destinationPort);
    if (!this.#memory.passes(generation, this.#ask, nowMs)) return false;
    if (ends.kind === PacketKind.FirstFragment) {
      this.#memory.selectFragments(from.number, to.number, ends.protocol, ends.fragmentId);
      this.#memory.allow(generation, nowMs);
    }
    return true;
  }

  /** An ICMP error goes back to who sent the packet that it quotes. */
  #isAboutPassingFlow(
    batch: PacketBatch,
    row: number,
    from: InnerAddress,
    to: InnerAddress,
    generation: number,
    nowMs: number,
  ): boolean {
    const quoted = this.#quoted;
    quoted.read(batch.bytes, this.#ends.quotedAt, batch.offset[row] + batch.length[row]);
    if (quoted.kind !== PacketKind.Whole && quoted.kind !== PacketKind.FirstFragment) return false;
    this.#memory.select(to.number, from.number, quoted.protocol, quoted.sourcePort, quoted.destinationPort);
    return this.#memory.isPassing(generation, nowMs);
  }

  #take(batch: PacketBatch, row: number, from: InnerAddress, to: InnerAddress, nowMs: number): void {
    this.#batch = batch;
    this.#row = row;
    this.#from = from;
    this.#to = to;
    this.#nowMs = nowMs;
  }

  readonly #ask = (isTurned: boolean): boolean => {
    const { sourcePort, destinationPort, flowProtocol } = this.#ends;
    const hasPorts = flowProtocol === 'tcp' || flowProtocol === 'udp';
    const beginner = isTurned ? this.#to! : this.#from!;
    const flow: Flow = {
      device: beginner.device!.device.id,
      protocol: flowProtocol,
      destination: addressOf(this.#batch!, this.#row, !isTurned),
      port: !hasPorts ? 0 : isTurned ? sourcePort : destinationPort,
    };
    return this.#decide(flow, this.#nowMs);
  };
}

/** Copies the source or the destination of a packet. */
function addressOf({ bytes, offset }: PacketBatch, row: number, isDestination: boolean): Uint8Array {
  const at = offset[row];
  if (bytes[at] >> 4 === 4) {
    const start = at + (isDestination ? IPV4_DESTINATION_AT : IPV4_SOURCE_AT);
    return bytes.slice(start, start + 4);
  }
  const start = at + (isDestination ? IPV6_DESTINATION_AT : IPV6_SOURCE_AT);
  return bytes.slice(start, start + 16);
}

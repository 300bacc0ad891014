import type { PacketBatch } from '../core/packets/packet-batch.js';
import { IPV4_DESTINATION_AT, IPV4_SOURCE_AT, IPV6_DESTINATION_AT, IPV6_SOURCE_AT } from '../wire/ip-header.js';
import type { Flow } from './access.js';
import { FlowMemory } from './flow-memory.js';
import { PacketEnds, PacketKind } from './packet-ends.js';
import type { InnerAddress } from './places.js';

/** Answers questions about flows between devices. */
export interface FlowAuthority {
  /** Decides about a flow that is not remembered, and counts the decision. */
  readonly decide: (flow: Flow, nowMs: number) => boolean;
  /** Counts up whenever a decision may come out differently. */
  readonly revision: () => number;
}

/** Lets packets pass where the flow that they belong to may: from device to device, or from a device to the outside. */
export class DeviceFlows {
  readonly #memory: FlowMemory;
  readonly #authority: FlowAuthority;
  readonly #ends = new PacketEnds();
  readonly #quoted = new PacketEnds();
  // The packet at hand.
  #batch: PacketBatch | undefined;
  #row = 0;
  #from: InnerAddress | undefined;
  #to: InnerAddress | undefined;
  #nowMs = 0;

  /**
   * @param seed Any 32 random bits.
   * @param sets Size of the memory: see `FlowMemory`.
   */
  constructor(seed: number, authority: FlowAuthority, sets?: number) {
    this.#memory = new FlowMemory(seed, sets);
    this.#authority = authority;
  }

  /** Tells whether a packet may pass; both addresses are those of devices. */
  passes(batch: PacketBatch, row: number, from: InnerAddress, to: InnerAddress, nowMs: number): boolean {
    const ends = this.#ends;
    const at = batch.offset[row];
    ends.read(batch.bytes, at, at + batch.length[row]);
    this.#batch = batch;
    this.#row = row;
    this.#from = from;
    this.#to = to;
    this.#nowMs = nowMs;
    switch (ends.kind) {
      case PacketKind.Unreadable:
        return false;
      case PacketKind.LaterFragment:
        this.#memory.selectFragments(from.number, to.number, ends.protocol, ends.fragmentId);
        return this.#memory.isPassing(this.#authority.revision(), nowMs);
      case PacketKind.IcmpError:
        return this.#isAboutPassingFlow(at + batch.length[row]);
      case PacketKind.FirstFragment:
        return this.#passesWithPorts() && this.#letFragmentsPass();
      case PacketKind.Whole:
        return this.#passesWithPorts();
    }
  }

  /**
   * Tells whether a packet from outside belongs to a flow that a device began and that may pass. It begins none.
   *
   * @param findQuoted Finds the address outside that the packet at a place was for: an error may come from any router.
   */
  answers(
    batch: PacketBatch,
    row: number,
    from: InnerAddress | undefined,
    to: InnerAddress,
    nowMs: number,
    findQuoted: (at: number) => InnerAddress | undefined,
  ): boolean {
    const ends = this.#ends;
    const at = batch.offset[row];
    ends.read(batch.bytes, at, at + batch.length[row]);
    this.#batch = batch;
    this.#row = row;
    this.#from = ends.kind === PacketKind.IcmpError ? findQuoted(ends.quotedAt) : from;
    this.#to = to;
    this.#nowMs = nowMs;
    if (this.#from === undefined) return false;
    switch (ends.kind) {
      case PacketKind.Unreadable:
        return false;
      case PacketKind.LaterFragment:
        this.#memory.selectFragments(this.#from.number, to.number, ends.protocol, ends.fragmentId);
        return this.#memory.isPassing(this.#authority.revision(), nowMs);
      case PacketKind.IcmpError:
        return this.#isAboutPassingFlow(at + batch.length[row]);
      case PacketKind.FirstFragment:
        return this.#isAnswer() && this.#letFragmentsPass();
      case PacketKind.Whole:
        return this.#isAnswer();
    }
  }

  #isAnswer(): boolean {
    const { protocol, sourcePort, destinationPort } = this.#ends;
    this.#memory.select(this.#from!.number, this.#to!.number, protocol, sourcePort, destinationPort);
    return this.#memory.stillPasses(this.#authority.revision(), this.#ask, this.#nowMs);
  }

  #passesWithPorts(): boolean {
    const { protocol, sourcePort, destinationPort } = this.#ends;
    this.#memory.select(this.#from!.number, this.#to!.number, protocol, sourcePort, destinationPort);
    return this.#memory.passes(this.#authority.revision(), this.#ask, this.#nowMs);
  }

  #letFragmentsPass(): true {
    const { protocol, fragmentId } = this.#ends;
    this.#memory.selectFragments(this.#from!.number, this.#to!.number, protocol, fragmentId);
    this.#memory.allow(this.#authority.revision(), this.#nowMs);
    return true;
  }

  /** Reads the flow from the packet that an ICMP error quotes: the error goes back to the sender of that packet. */
  #isAboutPassingFlow(end: number): boolean {
    const quoted = this.#quoted;
    quoted.read(this.#batch!.bytes, this.#ends.quotedAt, end);
    if (quoted.kind !== PacketKind.Whole && quoted.kind !== PacketKind.FirstFragment) return false;
    const { protocol, sourcePort, destinationPort } = quoted;
    this.#memory.select(this.#to!.number, this.#from!.number, protocol, sourcePort, destinationPort);
    return this.#memory.isPassing(this.#authority.revision(), this.#nowMs);
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
    return this.#authority.decide(flow, this.#nowMs);
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

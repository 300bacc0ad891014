/** Random traffic as programs and routers send it to an interface: alternating flows of TCP and UDP, with rare cases. */
import type { SeededRandom } from '../../src/sim/seeded-random.js';
import { Flag, foldSum, type InnerPacketFields, innerPacket, onesSum, store16, TCP, UDP } from './inner-packet.js';
import { cut, Gso, NEEDS_CHECKSUM, PLAIN, toSuperPacket, type VirtioHeader } from './super-packet.js';

const FLOWS = 6;
const MAX_SEGMENTS = 64;
const MAX_PAYLOAD_BYTES = 60_000;
const HOST_COUNT = 3;
const DSCP_EF = 46 << 2;
const MORE_FRAGMENTS = 0x2000;

/** One write to a TUN: a packet, or a super-packet that stands for many. */
export interface Emission {
  readonly header: VirtioHeader;
  readonly packet: Uint8Array;
}

/** The payload of a flow is as long as its segments are. */
type Flow = InnerPacketFields & { readonly sequence: number; readonly identification: number };

export class RandomTraffic {
  readonly #random: SeededRandom;
  readonly #flows: Flow[];

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#flows = Array.from({ length: FLOWS }, (_, i) => randomFlow(random, i));
  }

  emissions(count: number): Emission[] {
    return Array.from({ length: count }, () => this.#next());
  }

  #next(): Emission {
    const random = this.#random;
    const index = random.integer(FLOWS);
    const flow = this.#flows[index]!;
    if (random.chance(0.25)) return this.#oddPacket(index);

    const segments = random.chance(0.5) ? 1 : 2 + random.integer(mostSegments(flow) - 1);
    const lack = random.chance(0.5) ? 0 : random.integer(flow.payload.length);
    const payload = random.bytes(flow.payload.length * segments - lack);
    this.#flows[index] = advanced(flow, payload.length, segments);
    return emission(random, { ...flow, payload, ...someFlags(random) }, flow.payload.length);
  }

  /** One packet; every other takes its place in the flow, so that only what is odd about it parts it from the others. */
  #oddPacket(index: number): Emission {
    const random = this.#random;
    const flow = this.#flows[index]!;
    const odd = { ...flow, payload: random.bytes(flow.payload.length), ...oddity(random, flow) };
    if (random.chance(0.5)) this.#flows[index] = advanced(flow, odd.payload.length, 1);
    return asItIs(damaged(random, innerPacket(odd)));
  }
}

/** The packets that an emission stands for, with their checksums. */
export function packetsOf({ header, packet }: Emission): Uint8Array[] {
  if (header.gsoType !== Gso.None || header.flags !== NEEDS_CHECKSUM) return cut(header, packet);
  const whole = packet.slice();
  const checksum = ~foldSum(onesSum(packet.subarray(header.checksumStart))) & 0xffff;
  store16(whole, header.checksumStart + header.checksumOffset, checksum === 0 ? 0xffff : checksum);
  return [whole];
}

/** Between which addresses the traffic is; the last byte of the source is the host's. */
export function trafficAddresses(version: 4 | 6, host: number): readonly [source: Uint8Array, destination: Uint8Array] {
  const address = (net: number, last: number): Uint8Array =>
    version === 4
      ? Uint8Array.of(198, 18, net, last)
      : Uint8Array.of(0xfd, 0, 0, 0x50 + net, ...new Array(11).fill(0), last);
  return [address(1, host), address(2, 1)];
}

function randomFlow(random: SeededRandom, index: number): Flow {
  const version = random.chance(0.5) ? 4 : 6;
  const host = 1 + random.integer(HOST_COUNT);
  const extension = new Uint8Array(version === 4 ? 4 + 4 * random.integer(3) : 8).fill(version === 4 ? 1 : 0);
  return {
    version,
    protocol: random.chance(0.65) ? TCP : UDP,
    payload: new Uint8Array(1 + random.integer(random.pick([1, 9, 200, 1_300]))),
    addresses: trafficAddresses(version, host),
    sourcePort: 1_000 + index,
    sequence: random.chance(0.2) ? 2 ** 32 - 1 - random.integer(20_000) : random.next32(),
    identification: random.integer(65_536),
    isDontFragment: random.chance(0.6),
    hopLimit: random.pick([64, 63, 255, 5]),
    trafficClass: random.pick([0, 1, 2, 3, DSCP_EF, DSCP_EF | 2]),
    flowLabel: random.integer(2) * random.integer(1 << 20),
    options: random.bytes(random.pick([0, 0, 12, 40])).map((byte, i) => (i < 2 ? 1 : byte)),
    ...(random.chance(0.15) ? { extension } : {}),
  };
}

function mostSegments({ payload }: Flow): number {
  return Math.min(MAX_SEGMENTS, Math.floor(MAX_PAYLOAD_BYTES / payload.length));
}

function advanced(flow: Flow, payloadBytes: number, segments: number): Flow {
  return {
    ...flow,
    sequence: (flow.sequence + payloadBytes) % 2 ** 32,
    identification: (flow.identification + segments) & 0xffff,
  };
}

function someFlags(random: SeededRandom): { flags?: number; urgentPointer?: number } {
  if (random.chance(0.7)) return {};
  const flag = random.pick([Flag.Psh, Flag.Psh, Flag.Fin, Flag.Ece, Flag.Cwr, Flag.Cwr | Flag.Ece, Flag.Urg]);
  return { flags: Flag.Ack | flag, urgentPointer: flag === Flag.Urg ? random.integer(65_536) : 0 };
}

/** A super-packet if the payload is longer than a segment; else as a program sends it, or as a router does. */
function emission(random: SeededRandom, fields: InnerPacketFields, segmentBytes: number): Emission {
  const packet = innerPacket(fields);
  if (fields.payload.length > segmentBytes) {
    const header = toSuperPacket(packet, fields.protocol, segmentBytes);
    if (random.chance(0.05)) spoilPartialSum(packet, header);
    const isEcn = fields.protocol === TCP && ((fields.flags ?? 0) & Flag.Cwr) !== 0;
    return { header: isEcn ? { ...header, gsoType: header.gsoType | Gso.Ecn } : header, packet };
  }
  if (random.chance(0.5)) return asItIs(packet);
  const { checksumStart, checksumOffset } = toSuperPacket(packet, fields.protocol, 1);
  return { header: { ...PLAIN, flags: NEEDS_CHECKSUM, checksumStart, checksumOffset }, packet };
}

/** All the packets that are cut from it then have wrong checksums. */
function spoilPartialSum(packet: Uint8Array, { checksumStart, checksumOffset }: VirtioHeader): void {
  packet[checksumStart + checksumOffset]! ^= 0x40;
}

function asItIs(packet: Uint8Array): Emission {
  return { header: PLAIN, packet };
}

/** The oddities that distinguish one packet of a flow from the others. */
function oddity(random: SeededRandom, flow: Flow): Partial<InnerPacketFields> {
  const fragmentOffset = random.integer(100) | (random.chance(0.5) ? MORE_FRAGMENTS : 0);
  const oddities: Partial<InnerPacketFields>[] = [
    { payload: new Uint8Array(0) },
    { payload: random.bytes(flow.payload.length + 1) },
    { payload: random.bytes(1_400 + random.integer(3_000)), isDontFragment: random.chance(0.3) },
    { flags: random.integer(256) },
    { flags: Flag.Syn },
    { sequence: (flow.sequence + 2 ** 32 - random.integer(5_000)) % 2 ** 32 },
    { acknowledgement: random.next32() },
    { window: random.integer(65_536) },
    { trafficClass: random.integer(256) },
    { hopLimit: 2 + random.integer(250) },
    { identification: random.integer(65_536), isDontFragment: random.chance(0.5) },
    { fragmentOffset: flow.version === 4 ? fragmentOffset : fragmentOffset & 0x1fff, isDontFragment: false },
    { flowLabel: random.integer(1 << 20) },
    { extension: new Uint8Array(8).fill(flow.version === 4 ? 1 : 0) },
    { checksumError: 1 + random.integer(65_000) },
    { hasNoChecksum: true },
  ];
  return random.pick(oddities);
}

/** Mostly as it is; sometimes cut off, or with one bit changed. */
function damaged(random: SeededRandom, packet: Uint8Array): Uint8Array {
  if (random.chance(0.9)) return packet;
  if (random.chance(0.5)) return packet.slice(0, 1 + random.integer(packet.length - 1));
  packet[random.integer(Math.min(packet.length, 70))]! ^= 1 << random.integer(8);
  return packet;
}

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { TUN_OFFLOAD_TCP, TUN_OFFLOAD_UDP } from '../../src/addon/interface.js';
import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { Flag, type InnerPacketFields, innerPacket, TCP, UDP } from './inner-packet.js';
import { merge } from './merge-model.js';
import { assertSamePackets, normalText } from './packet-order.js';
import { cut } from './super-packet.js';
import { TunPair } from './tun-pair.js';

const addon = loadAddon();
const RANDOM_BATCHES = 250;
const ROWS = 160;
const FLOWS = 6;

type Change = Partial<InnerPacketFields>;

describe('the merge of packets on writing to the TUN', () => {
  const pairs = [0, TUN_OFFLOAD_TCP, TUN_OFFLOAD_TCP | TUN_OFFLOAD_UDP].map((offload) => new TunPair(addon, offload));
  const [none, tcpOnly, both] = pairs as [TunPair, TunPair, TunPair];
  after(() => {
    for (const pair of pairs) pair.close();
  });

  /** How many packets each write carried. */
  const groupSizes = (pair: TunPair, packets: readonly Uint8Array[]): number[] => {
    assert.equal(pair.write(batchOf(packets)), 0);
    return pair.received().map(({ header, packet }) => cut(header, packet).length);
  };
  const neverMerges = (change: Change, base: Change = {}): void => {
    for (const version of [4, 6] as const)
      for (const protocol of [TCP, UDP] as const) {
        const packets = [segment(0, version, protocol, base), segment(1, version, protocol, { ...base, ...change })];
        assert.deepEqual(groupSizes(both, packets), [1, 1], `IPv${version}, protocol ${protocol}`);
      }
  };

  it('merges TCP by sequence and UDP of equal size, where the TUN has the offload', () => {
    for (const version of [4, 6] as const) {
      const tcp = Array.from({ length: 40 }, (_, i) => segment(i, version, TCP));
      const udp = Array.from({ length: 40 }, (_, i) => segment(i, version, UDP));
      assert.deepEqual(groupSizes(both, tcp), [40]);
      assert.deepEqual(groupSizes(both, udp), [40]);
      assert.deepEqual(groupSizes(tcpOnly, tcp), [40]);
      assert.deepEqual(groupSizes(tcpOnly, udp), Array(40).fill(1));
      assert.deepEqual(groupSizes(none, tcp), Array(40).fill(1));
    }
  });

  it('merges flows that arrive interleaved', () => {
    const packets = Array.from({ length: 60 }, (_, i) =>
      segment(Math.floor(i / 3), 4, TCP, { sourcePort: 5_000 + (i % 3) }),
    );
    assert.deepEqual(groupSizes(both, packets), [20, 20, 20]);
  });

  it('writes the oldest flow when more are open than it keeps', () => {
    const packets = Array.from({ length: 120 }, (_, i) =>
      segment(Math.floor(i / 40), 4, TCP, { sourcePort: 5_000 + (i % 40) }),
    );
    assert.equal(
      groupSizes(both, packets).reduce((sum, size) => sum + size),
      120,
    );
  });

  it('lets a short packet be the last, and starts anew after it', () => {
    const short = { payload: new Uint8Array(10) };
    assert.deepEqual(groupSizes(both, [segment(0, 4, TCP), segment(1, 4, TCP, short), segment(2, 4, TCP)]), [2, 1]);
    assert.deepEqual(groupSizes(both, [segment(0, 4, UDP), segment(1, 4, UDP, short), segment(2, 4, UDP)]), [2, 1]);
    assert.deepEqual(groupSizes(both, [segment(0, 4, TCP, short), segment(1, 4, TCP)]), [1, 1]);
  });

  it('ends a super-packet with PSH, which it keeps', () => {
    const packets = [0, 1, 2, 3].map((i) => segment(i, 6, TCP, i === 1 ? { flags: Flag.Ack | Flag.Psh } : {}));
    both.write(batchOf(packets));
    const written = both.received().flatMap(({ header, packet }) => cut(header, packet));
    assert.deepEqual(written, packets);
    assert.deepEqual(groupSizes(both, packets), [2, 2]);
  });

  it('carries ECN marks: congestion is reported for exactly the packets that met it', () => {
    const packets = [0, 1, 2, 3].map((i) => segment(i, 4, TCP, { trafficClass: i < 2 ? 2 : 3 }));
    assert.deepEqual(groupSizes(both, packets), [2, 2]);
  });

  it('never merges packets of unequal TOS, TTL, DF or flow label', () => {
    neverMerges({ trafficClass: 4 });
    neverMerges({ hopLimit: 63 });
    assert.deepEqual(groupSizes(both, [segment(0, 4, TCP), segment(1, 4, TCP, { isDontFragment: false })]), [1, 1]);
    assert.deepEqual(groupSizes(both, [segment(0, 6, UDP), segment(1, 6, UDP, { flowLabel: 1 })]), [1, 1]);
  });

  it('never merges fragments, IPv4 options or IPv6 extension headers', () => {
    neverMerges({ extension: new Uint8Array(8) });
    neverMerges({ extension: new Uint8Array(8) }, { extension: new Uint8Array(8) });
    neverMerges({ fragmentOffset: 9 }, { fragmentOffset: 9 });
  });

  it('never merges TCP with other options, windows, acknowledgements or flags', () => {
    const changes: Change[] = [
      { options: Uint8Array.of(1, 1, 1, 1) },
      { window: 9 },
      { acknowledgement: 9 },
      { sequence: 9 },
      ...[Flag.Fin, Flag.Syn, Flag.Ece, Flag.Cwr, 0x20, 4].map((flag) => ({ flags: Flag.Ack | flag })),
    ];
    for (const change of changes)
      assert.deepEqual(
        groupSizes(both, [segment(0, 4, TCP), segment(1, 4, TCP, change)]),
        [1, 1],
        JSON.stringify(change),
      );
  });

  it('leaves a wrong checksum wrong, alone and in its place', () => {
    for (const protocol of [TCP, UDP] as const) {
      const packets = [0, 1, 2, 3, 4].map((i) => segment(i, 4, protocol, i === 2 ? { checksumError: 1 } : {}));
      both.write(batchOf(packets));
      const received = both.received();
      assert.deepEqual(
        received.map(({ header, packet }) => cut(header, packet).length),
        [2, 1, 2],
      );
      assert.deepEqual(received[1]!.packet, packets[2]);
      assert.equal(received[1]!.header.flags, 0);
    }
  });

  it('merges IPv4 without DF only while the identification counts up', () => {
    const packets = [7, 8, 9, 11, 12].map((identification, i) =>
      segment(i, 4, UDP, { identification, isDontFragment: false }),
    );
    assert.deepEqual(groupSizes(both, packets), [3, 2]);
  });

  it('never makes a super-packet of more than 65,535 bytes, nor of more UDP segments than a kernel takes', () => {
    const large = Array.from({ length: 60 }, (_, i) => segment(i, 4, TCP, { payload: new Uint8Array(1_400) }));
    assert.deepEqual(groupSizes(both, large), [46, 14]);
    assert.deepEqual(
      groupSizes(
        both,
        Array.from({ length: 150 }, (_, i) => segment(i, 6, UDP)),
      ),
      [64, 64, 22],
    );
  });

  it('skips rows that do not pass or are empty', () => {
    const batch = batchOf([0, 1, 2, 3].map((i) => segment(i, 4, UDP)));
    batch.verdict[1] = Verdict.Replayed;
    batch.length[2] = 0;
    both.write(batch);
    assert.deepEqual(
      both.received().map(({ header, packet }) => cut(header, packet).length),
      [2],
    );
  });

  it('agrees with the model for random flows, packet by packet and in order', () => {
    for (let seed = 1; seed <= RANDOM_BATCHES; seed++) {
      const random = new SeededRandom(seed);
      const pair = pairs[random.integer(3)]!;
      const packets = randomPackets(random);
      try {
        pair.write(batchOf(packets));
        compare(
          packets,
          pair.received().map(({ header, packet }) => cut(header, packet)),
          {
            tcp: pair !== none,
            udp: pair === both,
          },
        );
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
});

function compare(packets: readonly Uint8Array[], groups: Uint8Array[][], what: { tcp: boolean; udp: boolean }): void {
  const textOf = (group: readonly Uint8Array[]): string => group.map(normalText).join(' ');
  const expected = merge(packets, what);
  assert.deepEqual(groups.map(textOf).sort(), expected.map(textOf).sort());

  assertSamePackets(groups.flat(), packets);
}

const PAYLOAD_BYTES = 100;

/** Packet `index` of a flow. */
function segment(index: number, version: 4 | 6, protocol: 6 | 17, change: Change = {}): Uint8Array {
  return innerPacket({
    version,
    protocol,
    payload: new Uint8Array(PAYLOAD_BYTES).fill(index),
    sequence: index * Math.max(change.payload?.length ?? 0, PAYLOAD_BYTES),
    ...change,
  });
}

/** Flows that advance in turn; now and then something is wrong with a packet. */
function randomPackets(random: SeededRandom): Uint8Array[] {
  const flows = Array.from(
    { length: FLOWS },
    (_, i): InnerPacketFields => ({
      version: random.chance(0.5) ? 4 : 6,
      protocol: random.chance(0.7) ? TCP : UDP,
      payload: new Uint8Array(1 + random.integer(random.chance(0.3) ? 2 : 1_400)),
      host: random.integer(3),
      sourcePort: 1_000 + i,
      sequence: random.chance(0.2) ? 2 ** 32 - 1_000 : random.next32(),
      identification: random.integer(65_536),
      isDontFragment: random.chance(0.7),
      options: new Uint8Array(random.chance(0.5) ? 12 : 0).fill(1),
    }),
  );
  return Array.from({ length: ROWS }, () => {
    const index = random.integer(FLOWS);
    const flow = flows[index]!;
    flows[index] = {
      ...flow,
      sequence: (flow.sequence! + flow.payload.length) % 2 ** 32,
      identification: (flow.identification! + 1) % 65_536,
    };
    return damaged(random, innerPacket({ ...flow, ...(random.chance(0.15) ? randomChange(random, flow) : {}) }));
  });
}

function randomChange(random: SeededRandom, flow: InnerPacketFields): Change {
  const changes: Change[] = [
    { payload: new Uint8Array(random.integer(flow.payload.length)) },
    { payload: new Uint8Array(flow.payload.length + 1) },
    { flags: random.integer(256) },
    { flags: Flag.Ack | Flag.Psh },
    { sequence: random.next32() },
    { acknowledgement: 1 },
    { window: 1 },
    { options: new Uint8Array(12).fill(random.integer(2)) },
    { trafficClass: random.integer(4) },
    { hopLimit: 3 },
    { identification: random.integer(65_536) },
    { isDontFragment: random.chance(0.5) },
    { fragmentOffset: random.integer(100) },
    { flowLabel: random.integer(3) },
    { extension: new Uint8Array(8) },
    { checksumError: 1 + random.integer(1_000) },
  ];
  return changes[random.integer(changes.length)]!;
}

/** Mostly as it is; sometimes cut off, or with one byte changed. */
function damaged(random: SeededRandom, packet: Uint8Array): Uint8Array {
  if (random.chance(0.98)) return packet;
  if (random.chance(0.5)) return packet.slice(0, 1 + random.integer(packet.length - 1));
  packet[random.integer(Math.min(packet.length, 70))]! ^= 1 << random.integer(8);
  return packet;
}

function batchOf(packets: readonly Uint8Array[]): PacketBatch {
  const batch = new PacketBatch(
    packets.length,
    packets.reduce((sum, packet) => sum + packet.length + 64, 0),
  );
  for (const packet of packets) batch.bytes.set(packet, batch.offset[batch.appendRow(packet.length)]);
  return batch;
}

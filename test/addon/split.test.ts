import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { TUN_OFFLOAD_TCP, TUN_OFFLOAD_UDP } from '../../src/addon/interface.js';
import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import {
  checksumAt,
  Flag,
  type InnerPacketFields,
  innerPacket,
  store16,
  TCP,
  transportAt,
  UDP,
} from './inner-packet.js';
import { cut, Gso, NEEDS_CHECKSUM, PLAIN, toSuperPacket, type VirtioHeader } from './super-packet.js';
import { TunPair } from './tun-pair.js';

const addon = loadAddon();
const EPROTO = 71;
const EMSGSIZE = 90;
const HEADROOM_BYTES = 16;
const TAILROOM_BYTES = 32;
const RANDOM_PACKETS = 500;

describe('the split of super-packets on reading from the TUN', () => {
  const pair = new TunPair(addon, TUN_OFFLOAD_TCP | TUN_OFFLOAD_UDP);
  after(() => pair.close());

  const arrivesAs = (
    header: VirtioHeader,
    packet: Uint8Array,
    expected: readonly Uint8Array[],
    batch: PacketBatch,
  ): void => {
    pair.send(header, packet);
    const packets = pair.readAll(batch);
    assert.equal(packets.length, expected.length, 'number of packets');
    for (const [i, bytes] of packets.entries()) assert.deepEqual(bytes, expected[i], `packet ${i}`);
  };

  it('passes a packet that is none as it is', () => {
    const packet = innerPacket({
      version: 4,
      protocol: UDP,
      payload: randomBytes(new SeededRandom(1), 100),
      checksumError: 5,
    });
    arrivesAs(PLAIN, packet, [packet], new PacketBatch(8, 8_192));
  });

  it('passes packets of all lengths up to 65,535 bytes', () => {
    const batch = new PacketBatch(8, 80_000);
    for (const length of [1, 19, 20, 63, 64, 1_420, 34_736, 65_534, 65_535]) {
      const packet = new Uint8Array(length).fill(length);
      arrivesAs(PLAIN, packet, [packet], batch);
    }
  });

  it('completes the checksum of a packet that is not cut', () => {
    for (const version of [4, 6] as const)
      for (const protocol of [TCP, UDP] as const)
        for (const length of [0, 1, 2, 333, 1_400]) {
          const whole = innerPacket({ version, protocol, payload: randomBytes(new SeededRandom(length), length) });
          const partial = whole.slice();
          const { checksumStart, checksumOffset } = toSuperPacket(partial, protocol, 1);
          arrivesAs(
            { ...PLAIN, flags: NEEDS_CHECKSUM, checksumStart, checksumOffset },
            partial,
            [whole],
            new PacketBatch(8, 8_192),
          );
        }
  });

  it('agrees with the model for random super-packets, in batches of any size', () => {
    for (let seed = 1; seed <= RANDOM_PACKETS; seed++) {
      const random = new SeededRandom(seed);
      const fields = randomFields(random);
      const packet = innerPacket(fields);
      const header = toSuperPacket(packet, fields.protocol, 1 + random.integer(random.chance(0.3) ? 9 : 1_500));
      const batch = new PacketBatch(1 + random.integer(70), 3_000 + random.integer(100_000));
      try {
        arrivesAs(header, packet, cut(header, packet), batch);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });

  it('goes on with the next read when a super-packet of one byte each does not fit', () => {
    const packet = innerPacket({ version: 4, protocol: TCP, payload: randomBytes(new SeededRandom(3), 60_000) });
    const header = toSuperPacket(packet, TCP, 1);
    const batch = new PacketBatch(512, 1 << 20);

    pair.send(header, packet);
    assert.equal(pair.read(batch), 512);
    assert.ok(pair.hasMore);
    let rows = 512;
    while (pair.read(batch) > 0) rows += batch.count;
    assert.equal(rows, 60_000);
    assert.ok(!pair.hasMore);
  });

  it('leaves head-room in front and tail-room behind every row, in order', () => {
    const packet = innerPacket({ version: 6, protocol: TCP, payload: randomBytes(new SeededRandom(4), 50_000) });
    const batch = new PacketBatch(64, 1 << 20);
    pair.send(toSuperPacket(packet, TCP, 999), packet);
    pair.read(batch);

    let end = 0;
    for (let row = 0; row < batch.count; row++) {
      const start = batch.offset[row] - HEADROOM_BYTES;
      assert.ok(start >= end && start % 16 === 0, `row ${row} starts at ${start}, after ${end}`);
      end = batch.offset[row] + batch.length[row] + TAILROOM_BYTES;
      assert.deepEqual([batch.verdict[row], batch.keySlot[row], batch.trafficClass[row]], [0, -1, 0]);
    }
    assert.ok(end <= batch.bytes.length);
  });

  it('clears FIN and PSH but on the last, and CWR but on the first', () => {
    const flags = Flag.Ack | Flag.Fin | Flag.Psh | Flag.Cwr | Flag.Ece;
    const packet = innerPacket({ version: 4, protocol: TCP, payload: new Uint8Array(3_000), flags });
    const header = toSuperPacket(packet, TCP, 1_000);
    pair.send({ ...header, gsoType: header.gsoType | Gso.Ecn }, packet);
    const seen = pair.readAll(new PacketBatch(8, 8_192)).map((bytes) => bytes[33]);
    assert.deepEqual(seen, [
      Flag.Ack | Flag.Ece | Flag.Cwr,
      Flag.Ack | Flag.Ece,
      Flag.Ack | Flag.Ece | Flag.Fin | Flag.Psh,
    ]);
  });

  it('keeps the final destination that a routing header puts into the checksum', () => {
    const packet = innerPacket({
      version: 6,
      protocol: TCP,
      payload: new Uint8Array(2_500),
      extension: new Uint8Array(8),
    });
    const header = toSuperPacket(packet, TCP, 1_000);
    const field = transportAt(packet) + checksumAt(TCP);
    const shifted = (packet[field]! << 8) + packet[field + 1]! + 0x1234;
    const plain = cut(header, packet);
    store16(packet, field, (shifted & 0xffff) + (shifted >> 16));
    pair.send(header, packet);
    for (const [i, bytes] of pair.readAll(new PacketBatch(8, 8_192)).entries()) {
      const expected = plain[i]!.slice();
      const less = (expected[field]! << 8) + expected[field + 1]! - 0x1234;
      store16(expected, field, less < 0 ? less - 1 : less);
      assert.deepEqual(bytes, expected);
    }
  });

  it('drops and counts what does not fit its own header', () => {
    const packet = innerPacket({ version: 4, protocol: TCP, payload: new Uint8Array(3_000) });
    const good = toSuperPacket(packet, TCP, 1_000);
    const shortTcpHeader = packet.slice();
    shortTcpHeader[32] = 0x40;
    const bad: [VirtioHeader, Uint8Array][] = [
      [{ ...good, segmentBytes: 0 }, packet],
      [{ ...good, checksumStart: 19 }, packet],
      [{ ...good, gsoType: Gso.Udp, checksumStart: 12 }, packet],
      [{ ...good, checksumStart: 65_535 }, packet],
      [{ ...good, checksumStart: packet.length - 10 }, packet],
      [{ ...good, flags: 0 }, packet],
      [{ ...good, gsoType: 3 }, packet],
      [good, shortTcpHeader],
      [good, packet.subarray(0, 40)],
      [{ ...PLAIN, flags: NEEDS_CHECKSUM, checksumStart: 3_039, checksumOffset: 0 }, packet],
      [{ ...PLAIN, flags: NEEDS_CHECKSUM, checksumStart: 65_535, checksumOffset: 65_535 }, packet],
    ];
    const before = pair.errors[EPROTO];
    for (const [header, bytes] of bad) arrivesAs(header, bytes, [], new PacketBatch(8, 8_192));
    assert.equal(pair.errors[EPROTO] - before, bad.length);
  });

  it('drops and counts a packet that is larger than the whole arena, and goes on', () => {
    const before = pair.errors[EMSGSIZE];
    pair.send(PLAIN, new Uint8Array(5_000));
    arrivesAs(PLAIN, new Uint8Array(10), [new Uint8Array(10)], new PacketBatch(8, 1_024));
    assert.equal(pair.errors[EMSGSIZE] - before, 1);
  });
});

function randomFields(random: SeededRandom): InnerPacketFields & { protocol: 6 | 17 } {
  const version = random.chance(0.5) ? 4 : 6;
  const protocol = random.chance(0.5) ? TCP : UDP;
  return {
    version,
    protocol,
    payload: randomBytes(random, 1 + random.integer(random.chance(0.2) ? 40_000 : 3_000)),
    sequence: random.next32(),
    flags: Flag.Ack | (random.next32() & (Flag.Psh | Flag.Fin | Flag.Cwr | Flag.Ece)),
    options: randomBytes(random, 4 * random.integer(11)),
    trafficClass: random.integer(256),
    hopLimit: random.integer(256),
    identification: random.integer(65_536),
    isDontFragment: random.chance(0.5),
    flowLabel: random.integer(2 ** 20),
    ...(random.chance(0.2) ? { extension: randomBytes(random, 8 * (1 + random.integer(4))) } : {}),
  };
}

function randomBytes(random: SeededRandom, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  random.fill(bytes);
  return bytes;
}

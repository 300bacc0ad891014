/** The same packets arrive with offloads and without them. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { TUN_OFFLOAD_TCP, TUN_OFFLOAD_UDP } from '../../src/addon/interface.js';
import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { LOOPBACK } from '../conformance/datagram-socket.js';
import { batchOf } from '../conformance/tun.js';
import { Flag, innerPacket, TCP, UDP } from './inner-packet.js';
import { PacketChain } from './packet-chain.js';
import { assertSamePackets } from './packet-order.js';
import { type Emission, packetsOf, RandomTraffic } from './random-traffic.js';
import { toSuperPacket } from './super-packet.js';
import { TunPair } from './tun-pair.js';

const addon = loadAddon();
const BOTH = TUN_OFFLOAD_TCP | TUN_OFFLOAD_UDP;
const SEEDS = 40;
const EMISSIONS = 20;
const ARENA_BYTES = 1 << 21;

describe('packets that are cut on reading from the TUN and merged on writing to it', () => {
  const [near, far] = [new TunPair(addon, BOTH), new TunPair(addon, BOTH)];
  after(() => {
    near.close();
    far.close();
  });

  it('is the packets that were merged, after it is cut again', () => {
    forEachSeed((random) => {
      const packets = new RandomTraffic(random).emissions(EMISSIONS).flatMap(packetsOf);
      const batch = new PacketBatch(1 + random.integer(100), ARENA_BYTES);
      const arrived: Uint8Array[] = [];
      for (const part of parts(random, packets)) {
        near.write(batchOf(part));
        for (const { header, packet } of near.received()) {
          far.send(header, packet);
          arrived.push(...far.readAll(batch));
        }
      }
      assertSamePackets(arrived, packets);
    });
  });

  it('is the super-packet that was cut, after it is merged again', () => {
    forEachSeed((random) => {
      const emission = superPacket(random);
      near.send(emission.header, emission.packet);
      const batch = new PacketBatch(64, ARENA_BYTES);
      near.read(batch);
      near.write(batch);
      assert.deepEqual(near.received(), [emission]);
    });
  });
});

for (const address of LOOPBACK) {
  const family = address.length === 4 ? 'IPv4' : 'IPv6';
  describe(`the path with offloads and the path without, over ${family}`, () => {
    const [offloading, plain] = [new PacketChain(addon, address, true), new PacketChain(addon, address, false)];
    after(() => {
      offloading.close();
      plain.close();
    });

    it('carry the same packets of random flows, in the order of each flow', async () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const random = new SeededRandom(seed);
        const emissions = new RandomTraffic(random).emissions(EMISSIONS);
        const expected = emissions.flatMap(packetsOf);
        const arrived = [await offloading.carry(emissions, random), await plain.carry(emissions, random)];
        for (const packets of arrived) withSeed(seed, () => assertSamePackets(packets, expected));
      }
      assert.ok(
        offloading.writes < plain.writes / 2,
        `${offloading.writes} writes, and ${plain.writes} without offloads`,
      );
    });
  });
}

function forEachSeed(test: (random: SeededRandom) => void): void {
  for (let seed = 1; seed <= SEEDS; seed++) withSeed(seed, () => test(new SeededRandom(seed)));
}

function withSeed(seed: number, test: () => void): void {
  try {
    test();
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
}

/** The packets in pieces of random length. */
function parts(random: SeededRandom, packets: readonly Uint8Array[]): Uint8Array[][] {
  const pieces: Uint8Array[][] = [];
  for (let at = 0; at < packets.length; ) {
    const count = 1 + random.integer(120);
    pieces.push(packets.slice(at, at + count));
    at += count;
  }
  return pieces;
}

/** One of those that the addon itself would make: no options of IP, and of the flags only ACK and PSH. */
function superPacket(random: SeededRandom): Emission {
  const protocol = random.pick([TCP, UDP] as const);
  const segmentBytes = 1 + random.integer(1_300);
  const packet = innerPacket({
    version: random.pick([4, 6] as const),
    protocol,
    payload: random.bytes(segmentBytes + 1 + random.integer(Math.min(45, 60_000 / segmentBytes) * segmentBytes)),
    sequence: random.next32(),
    flags: Flag.Ack | random.pick([0, Flag.Psh]),
    options: new Uint8Array(random.pick([0, 12])).fill(1),
    trafficClass: random.integer(256),
    hopLimit: 1 + random.integer(255),
    identification: random.integer(65_536),
    isDontFragment: random.chance(0.5),
  });
  return { header: toSuperPacket(packet, protocol, segmentBytes), packet };
}

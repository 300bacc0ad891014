import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { MemoryTun } from '../../src/host/memory/tun.js';
import { innerPacket, UDP } from '../addon/inner-packet.js';
import { describeTun, payloadOf, type TunBench } from '../conformance/tun.js';

describeTun('MemoryTun', async () => {
  const tun = new MemoryTun();
  const arrived: Uint8Array[] = [];
  tun.onPacket = (packet) => arrived.push(payloadOf(packet));
  const bench: TunBench = {
    tun,
    versions: [4, 6],
    emit: (version, payload) => tun.inject(innerPacket({ version, protocol: UDP, payload })),
    delivered: () => arrived.shift(),
    packetFor: (version, payload) =>
      innerPacket({ version, protocol: UDP, payload, sourcePort: 53, destinationPort: 5_001 }),
    setMtu: (mtu) => {
      tun.mtu = mtu;
    },
    setUp: (isUp) => {
      tun.isUp = isUp;
    },
    remove: () => tun.remove(),
    end: () => tun.close(),
  };
  return bench;
});

describe('MemoryTun', () => {
  it('loses a packet that is larger than the whole arena, and goes on', () => {
    const tun = new MemoryTun();
    const batch = new PacketBatch(4, 1_024);
    tun.inject(new Uint8Array(5_000));
    tun.inject(new Uint8Array(10));
    assert.equal(tun.read(batch), 1);
    assert.equal(batch.length[0], 10);
  });
});

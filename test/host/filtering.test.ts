import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { FilteringSocket } from '../../src/host/filtering-socket.js';
import { FilteringTun } from '../../src/host/filtering-tun.js';
import { MemoryNetwork } from '../../src/host/memory/socket.js';
import { MemoryTun } from '../../src/host/memory/tun.js';
import type { RowFilter } from '../../src/host/row-filter.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { innerPacket, UDP } from '../addon/inner-packet.js';
import { describeDatagramSocket, LOOPBACK } from '../conformance/datagram-socket.js';
import { describeTun, payloadOf } from '../conformance/tun.js';

const passEverything: RowFilter = () => Verdict.Pass;

describeDatagramSocket('FilteringSocket', () => {
  const network = new MemoryNetwork();
  const filters = { inbound: passEverything, outbound: passEverything };
  return { open: async (port) => new FilteringSocket(network.open(LOOPBACK, port), filters), addresses: LOOPBACK };
});

describeTun('FilteringTun', async () => {
  const inner = new MemoryTun();
  const arrived: Uint8Array[] = [];
  inner.onPacket = (packet) => arrived.push(payloadOf(packet));
  return {
    tun: new FilteringTun(inner, { inbound: passEverything, outbound: passEverything }),
    versions: [4, 6],
    emit: (version, payload) => inner.inject(innerPacket({ version, protocol: UDP, payload })),
    delivered: () => arrived.shift(),
    packetFor: (version, payload) =>
      innerPacket({ version, protocol: UDP, payload, sourcePort: 53, destinationPort: 5_001 }),
    setMtu: (mtu) => {
      inner.mtu = mtu;
    },
    setUp: (isUp) => {
      inner.isUp = isUp;
    },
    remove: () => inner.remove(),
    end: () => inner.close(),
  };
});

describe('A filter', () => {
  const dropOdd: RowFilter = (batch, row) =>
    batch.bytes[batch.offset[row]!]! % 2 === 1 ? Verdict.Filtered : Verdict.Pass;

  it('drops rows of a socket in both directions, and sees none that was dropped before', async () => {
    const network = new MemoryNetwork();
    const seen: number[] = [];
    const outbound: RowFilter = (batch, row) => {
      seen.push(batch.bytes[batch.offset[row]!]!);
      return dropOdd(batch, row);
    };
    const a = new FilteringSocket(network.open(LOOPBACK), { outbound });
    const b = new FilteringSocket(network.open(LOOPBACK), { inbound: () => Verdict.Foreign });
    const sent = batchOf([1, 2, 3, 4], b.port);
    sent.drop(3, Verdict.NoPeer);
    assert.equal(a.send(sent, 0), 4);
    assert.deepEqual([...sent.verdict], [Verdict.Filtered, Verdict.Pass, Verdict.Filtered, Verdict.NoPeer]);
    assert.deepEqual(seen, [1, 2, 3]);

    await nextTurn();
    const received = new PacketBatch(4, 1_024);
    assert.equal(b.receive(received), 1);
    assert.deepEqual([received.bytes[received.offset[0]!], received.verdict[0]], [2, Verdict.Foreign]);
  });

  it('drops rows of a TUN in both directions', () => {
    const inner = new MemoryTun();
    const delivered: number[] = [];
    inner.onPacket = ([first]) => delivered.push(first!);
    const tun = new FilteringTun(inner, { inbound: dropOdd, outbound: dropOdd });
    tun.write(batchOf([5, 6], 1));
    assert.deepEqual(delivered, [6]);

    inner.inject(Uint8Array.of(7));
    inner.inject(Uint8Array.of(8));
    const batch = new PacketBatch(4, 1_024);
    assert.equal(tun.read(batch), 2);
    assert.deepEqual([...batch.verdict.subarray(0, 2)], [Verdict.Filtered, Verdict.Pass]);
  });
});

/** One row of one byte each. */
function batchOf(firstBytes: readonly number[], port: number): PacketBatch {
  const batch = new PacketBatch(4, 1_024);
  for (const first of firstBytes) {
    const row = batch.appendRow(1);
    batch.bytes[batch.offset[row]!] = first;
    batch.setEndpoint(row, Endpoint.from(LOOPBACK[0]!, port).words, 0);
  }
  return batch;
}

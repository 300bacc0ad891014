import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { MemoryNetwork } from '../../src/host/memory/socket.js';
import { type Path, PathSocket } from '../../src/host/path-socket.js';
import { Endpoint, FAMILY_PATH } from '../../src/wire/endpoint.js';
import { describeDatagramSocket, LOOPBACK } from '../conformance/datagram-socket.js';

const RELAY = new Uint8Array(16).fill(1);
const OTHER_RELAY = new Uint8Array(16).fill(2);

describeDatagramSocket('PathSocket', () => {
  const network = new MemoryNetwork();
  const open = async (port: number): Promise<PathSocket> =>
    new PathSocket({ udp: network.open(LOOPBACK, port), paths: [[RELAY, new QueuePath()]] });
  return { open, addresses: LOOPBACK };
});

describe('PathSocket', () => {
  it('names the path that a datagram came by, and answers there', () => {
    const relay = new QueuePath();
    const socket = socketWith([RELAY, relay]);
    relay.arriving.push(Uint8Array.of(1), Uint8Array.of(2));
    const batch = new PacketBatch(8, 4_096);
    assert.equal(socket.receive(batch), 2);
    assert.equal(batch.endpointCount, 1);
    const from = endpointOf(batch, 1);
    assert.deepEqual([from.family, from.address], [FAMILY_PATH, RELAY]);

    assert.equal(socket.send(batch, 0), 2);
    assert.deepEqual(relay.sent, [1, 2]);
  });

  it('sends each run of rows its own way, in order, and skips rows that do not pass', async () => {
    const network = new MemoryNetwork();
    const [far, near] = [network.open(LOOPBACK), network.open(LOOPBACK)];
    const [relay, other] = [new QueuePath(), new QueuePath()];
    const socket = new PathSocket({
      udp: near,
      paths: [
        [RELAY, relay],
        [OTHER_RELAY, other],
      ],
    });
    const udp = Endpoint.from(LOOPBACK[0]!, far.port);
    const ways = [RELAY, RELAY, udp, OTHER_RELAY, RELAY, udp, udp, RELAY];
    const batch = batchOf(ways.map((way) => (way instanceof Endpoint ? way : Endpoint.forPath(way))));
    batch.drop(1, Verdict.NoPeer);
    batch.drop(5, Verdict.NoPeer);
    assert.equal(socket.send(batch, 0), 8);
    assert.equal(batch.count, 8);
    assert.deepEqual([relay.sent, other.sent], [[0, 4, 7], [3]]);

    await nextTurn();
    const arrived = new PacketBatch(8, 4_096);
    far.receive(arrived);
    assert.deepEqual(firstBytes(arrived), [2, 6]);
  });

  it('returns the row at which a path has no room, and goes on when the path calls', () => {
    const relay = new QueuePath();
    const socket = socketWith([RELAY, relay]);
    let calls = 0;
    socket.onWritable = () => calls++;
    relay.room = 2;
    const batch = batchOf(new Array(4).fill(Endpoint.forPath(RELAY)));
    assert.equal(socket.send(batch, 0), 2);
    relay.room = 9;
    relay.onWritable();
    assert.equal(calls, 1);
    assert.equal(socket.send(batch, 2), 4);
    assert.deepEqual(relay.sent, [0, 1, 2, 3]);
  });

  it('reads UDP and every path in turn, so that none starves the others', () => {
    const [relay, other] = [new QueuePath(1), new QueuePath(1)];
    const socket = socketWith([RELAY, relay], [OTHER_RELAY, other]);
    for (let i = 0; i < 3; i++) {
      relay.arriving.push(Uint8Array.of(i));
      other.arriving.push(Uint8Array.of(10 + i));
    }
    const batch = new PacketBatch(8, 4_096);
    const order: number[] = [];
    while (socket.receive(batch) > 0) order.push(...firstBytes(batch));
    assert.deepEqual(order, [0, 10, 1, 11, 2, 12]);
  });

  it('counts datagrams for a path that does not exist, and closes its paths when closed', () => {
    const relay = new QueuePath();
    const socket = socketWith([RELAY, relay]);
    assert.equal(socket.send(batchOf([Endpoint.forPath(OTHER_RELAY), Endpoint.forPath(RELAY)]), 0), 2);
    assert.deepEqual([...socket.stats.sendErrors], [['ENETUNREACH', 1]]);
    assert.deepEqual(relay.sent, [1]);

    socket.removePath(RELAY);
    assert.equal(relay.isClosed, true);
    const added = new QueuePath();
    socket.addPath(RELAY, added);
    socket.close();
    assert.equal(added.isClosed, true);
  });
});

/** A path whose two ends are arrays. */
class QueuePath implements Path {
  onReadable: () => void = () => {};
  onWritable: () => void = () => {};
  readonly arriving: Uint8Array[] = [];
  /** The first byte of each datagram. */
  readonly sent: number[] = [];
  room = Infinity;
  isClosed = false;
  readonly #atOnce: number;

  constructor(atOnce = 8) {
    this.#atOnce = atOnce;
  }

  receive(batch: PacketBatch): number {
    batch.clear();
    for (const bytes of this.arriving.splice(0, this.#atOnce)) {
      const row = batch.appendRow(bytes.length);
      batch.bytes.set(bytes, batch.offset[row]!);
    }
    return batch.count;
  }

  send(batch: PacketBatch, from: number): number {
    for (let row = from; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass) continue;
      if (this.room-- <= 0) return row;
      this.sent.push(batch.bytes[batch.offset[row]!]!);
    }
    return batch.count;
  }

  close(): void {
    this.isClosed = true;
  }
}

function socketWith(...paths: readonly (readonly [Uint8Array, QueuePath])[]): PathSocket {
  return new PathSocket({ udp: new MemoryNetwork().open(LOOPBACK), paths });
}

/** One row for each endpoint, which holds the number of the row. */
function batchOf(endpoints: readonly Endpoint[]): PacketBatch {
  const batch = new PacketBatch(8, 4_096);
  for (const [i, endpoint] of endpoints.entries()) {
    const row = batch.appendRow(1);
    batch.bytes[batch.offset[row]!] = i;
    batch.setEndpoint(row, endpoint.words, 0);
  }
  return batch;
}

function firstBytes(batch: PacketBatch): number[] {
  return Array.from({ length: batch.count }, (_, row) => batch.bytes[batch.offset[row]!]!);
}

function endpointOf(batch: PacketBatch, row: number): Endpoint {
  const endpoint = new Endpoint();
  endpoint.words.set(batch.endpointWords.subarray(batch.endpoint[row]! * 11, batch.endpoint[row]! * 11 + 11));
  return endpoint;
}

import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import type { DatagramSocket } from '../../src/host/datagram-socket.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { ENDPOINT_WORDS, Endpoint, remoteEquals } from '../../src/wire/endpoint.js';
import { waitFor } from '../lab/wait.js';

/** How a suite gets sockets: all of one call reach each other at the two addresses. */
export interface SocketMaker {
  open(port: number): Promise<DatagramSocket>;
  readonly addresses: readonly Uint8Array[];
}

export const LOOPBACK: readonly Uint8Array[] = [Uint8Array.of(127, 0, 0, 1), new Uint8Array(16).fill(1, 15)];

/** Datagrams on their way at a time: as many as the smallest default buffer of a system surely holds. */
const CHUNK = 60;

/** A datagram as a test sees it. */
export interface Seen {
  readonly bytes: Uint8Array;
  readonly trafficClass: number;
  readonly from: Endpoint;
}

/** Tests the contract of the `DatagramSocket` port. */
export function describeDatagramSocket(name: string, makeMaker: () => SocketMaker): void {
  describe(`${name} as DatagramSocket`, () => {
    const maker = makeMaker();
    const open: DatagramSocket[] = [];
    const openSocket = async (port = 0): Promise<DatagramSocket> => {
      const socket = await maker.open(port);
      open.push(socket);
      return socket;
    };
    afterEach(() => {
      for (const socket of open.splice(0)) socket.close();
    });
    after(() => assert.equal(open.length, 0));

    for (const address of maker.addresses) {
      const family = address.length === 4 ? 'IPv4' : 'IPv6';

      it(`carries datagrams of every size over ${family}, and says where they came from`, async () => {
        const [a, b] = [await openSocket(), await openSocket()];
        const inbox = new Inbox(b);
        for (const length of [0, 1, 31, 32, 148, 1_440, 1_472, 9_000, 65_487]) {
          const bytes = randomBytes(length + 1, length);
          a.send(batchOf([{ bytes, to: Endpoint.from(address, b.port) }]), 0);
          const { bytes: arrived, from } = await inbox.next();
          assert.deepEqual(arrived, bytes, `${length} bytes`);
          assert.ok(isRemote(from, Endpoint.from(address, a.port)), `from ${from.address}, port ${from.port}`);
        }
      });

      it(`answers to the endpoint of a received datagram reach the sender over ${family}`, async () => {
        const [a, b] = [await openSocket(), await openSocket()];
        const inboxes = [new Inbox(a), new Inbox(b)] as const;
        a.send(batchOf([{ bytes: Uint8Array.of(1), to: Endpoint.from(address, b.port) }]), 0);
        const { from } = await inboxes[1].next();
        b.send(batchOf([{ bytes: Uint8Array.of(2), to: from }]), 0);
        assert.deepEqual((await inboxes[0].next()).bytes, Uint8Array.of(2));
      });

      it(`keeps the order of equal, shorter and longer datagrams over ${family}`, async () => {
        const [a, b] = [await openSocket(), await openSocket()];
        const inbox = new Inbox(b, new PacketBatch(50, 140_000));
        const to = Endpoint.from(address, b.port);
        const sizes = [1_000, 1_000, 1_000, 999, 1_000, 1_000, 64, 64, 1_000, 64, 1, 1_300, 1_300];
        const sent = Array.from({ length: 300 }, (_, i) => randomBytes(i, sizes[i % sizes.length]!));
        for (let at = 0; at < sent.length; at += CHUNK) {
          const chunk = sent.slice(at, at + CHUNK);
          assert.equal(a.send(batchOf(chunk.map((bytes) => ({ bytes, to }))), 0), CHUNK);
          for (const [i, bytes] of chunk.entries()) assert.deepEqual((await inbox.next()).bytes, bytes, `${at + i}`);
        }
      });
    }

    it('cuts runs of equal datagrams into rows again, however many', async () => {
      const [a, b] = [await openSocket(), await openSocket()];
      const inbox = new Inbox(b, new PacketBatch(7, 70_000));
      for (const length of [1, 100, 1_420]) {
        const sent = Array.from({ length: 70 }, (_, i) => randomBytes(i, length));
        a.send(batchOf(sent.map((bytes) => ({ bytes, to: Endpoint.from(maker.addresses[0]!, b.port) }))), 0);
        for (const [i, bytes] of sent.entries()) assert.deepEqual((await inbox.next()).bytes, bytes, `${length}: ${i}`);
      }
    });

    it('keeps families, peers and sizes apart when they alternate at random', async () => {
      const random = new SeededRandom(9);
      const a = await openSocket();
      const peers = [await openSocket(), await openSocket(), await openSocket()];
      const inboxes = peers.map((peer) => new Inbox(peer));
      for (let round = 0; round < 20; round++) {
        const expected = peers.map((): string[] => []);
        const letters = Array.from({ length: CHUNK }, () => {
          const peer = random.integer(peers.length);
          const bytes = randomBytes(random.next32(), random.chance(0.5) ? 500 : random.integer(2_000));
          expected[peer]!.push(textOf(bytes));
          const address = maker.addresses[random.integer(maker.addresses.length)]!;
          return { bytes, to: Endpoint.from(address, peers[peer]!.port) };
        });
        a.send(batchOf(letters), 0);
        for (const [i, inbox] of inboxes.entries()) {
          const arrived = [];
          for (const _ of expected[i]!) arrived.push(textOf((await inbox.next()).bytes));
          assert.deepEqual(arrived.sort(), expected[i]!.sort()); // order is kept within a family only
        }
      }
    });

    it('drops and counts what goes to port 0, sends the rest, and never throws', async () => {
      const [a, b] = [await openSocket(), await openSocket()];
      const inbox = new Inbox(b);
      for (const address of maker.addresses) {
        const [nowhere, to] = [Endpoint.from(address, 0), Endpoint.from(address, b.port)];
        const before = a.stats.sendErrors.get('EINVAL') ?? 0;
        const letters = Array.from({ length: 9 }, (_, i) => ({
          bytes: Uint8Array.of(i),
          to: i % 3 === 0 ? nowhere : to,
        }));
        assert.equal(a.send(batchOf(letters), 0), 9);
        for (const i of [1, 2, 4, 5, 7, 8]) assert.deepEqual((await inbox.next()).bytes, Uint8Array.of(i));
        assert.equal(a.stats.sendErrors.get('EINVAL'), before + 3);
      }
    });

    it('sends only the rows that pass, from the row on that it is told', async () => {
      const [a, b] = [await openSocket(), await openSocket()];
      const inbox = new Inbox(b);
      const to = Endpoint.from(maker.addresses[0]!, b.port);
      const batch = batchOf(Array.from({ length: 6 }, (_, i) => ({ bytes: Uint8Array.of(i), to })));
      batch.verdict[2] = Verdict.NoPeer;
      batch.verdict[4] = Verdict.Staged;
      assert.equal(a.send(batch, 1), 6);
      for (const expected of [1, 3, 5]) assert.deepEqual((await inbox.next()).bytes, Uint8Array.of(expected));
    });

    it('does not mind a port that nobody listens on', async () => {
      const [a, b] = [await openSocket(), await openSocket()];
      const gone = await openSocket();
      const inbox = new Inbox(b);
      open.splice(open.indexOf(gone), 1);
      gone.close();
      for (let i = 0; i < 3; i++) {
        a.send(batchOf([{ bytes: Uint8Array.of(9), to: Endpoint.from(maker.addresses[0]!, gone.port) }]), 0);
        a.send(batchOf([{ bytes: Uint8Array.of(i), to: Endpoint.from(maker.addresses[0]!, b.port) }]), 0);
        assert.deepEqual((await inbox.next()).bytes, Uint8Array.of(i));
      }
    });

    it('returns 0 and an empty batch when nothing waits', async () => {
      const socket = await openSocket();
      const batch = batchOf([{ bytes: Uint8Array.of(1), to: new Endpoint() }]);
      assert.equal(socket.receive(batch), 0);
      assert.deepEqual([batch.count, batch.endpointCount], [0, 0]);
    });

    it('has a port of its own for each socket when it is asked for any', async () => {
      const ports = new Set<number>();
      for (let i = 0; i < 10; i++) ports.add((await openSocket()).port);
      assert.equal(ports.size, 10);
      assert.ok([...ports].every((port) => port > 0 && port < 65_536));
    });

    it('is silent after it is closed', async () => {
      const [a, b] = [await openSocket(), await openSocket()];
      b.onReadable = () => assert.fail('closed');
      open.splice(open.indexOf(b), 1);
      const to = Endpoint.from(maker.addresses[0]!, b.port);
      a.send(batchOf([{ bytes: Uint8Array.of(1), to }]), 0);
      b.close();
      a.send(batchOf([{ bytes: Uint8Array.of(2), to }]), 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
  });
}

/** Everything that arrives at a socket, in order. */
export class Inbox {
  readonly #waiting: Seen[] = [];
  readonly #socket: DatagramSocket;
  readonly #batch: PacketBatch;

  constructor(socket: DatagramSocket, batch = new PacketBatch(256, 1 << 20)) {
    this.#socket = socket;
    this.#batch = batch;
    socket.onReadable = () => this.#take();
  }

  get count(): number {
    return this.#waiting.length;
  }

  next(): Promise<Seen> {
    return waitFor('a datagram', () => this.#waiting.shift());
  }

  #take(): void {
    const batch = this.#batch;
    this.#socket.receive(batch);
    for (let row = 0; row < batch.count; row++) {
      assert.equal(batch.verdict[row], Verdict.Pass);
      assert.ok(batch.endpoint[row] < batch.endpointCount);
      const at = batch.endpoint[row] * ENDPOINT_WORDS;
      const from = new Endpoint();
      from.words.set(batch.endpointWords.subarray(at, at + ENDPOINT_WORDS));
      const bytes = batch.bytes.slice(batch.offset[row], batch.offset[row] + batch.length[row]);
      this.#waiting.push({ bytes, trafficClass: batch.trafficClass[row], from });
    }
  }
}

export interface Letter {
  readonly bytes: Uint8Array;
  readonly to: Endpoint;
  readonly trafficClass?: number;
}

export function batchOf(letters: readonly Letter[]): PacketBatch {
  const batch = new PacketBatch(
    letters.length,
    letters.reduce((sum, { bytes }) => sum + bytes.length + 64, 0),
  );
  for (const { bytes, to, trafficClass = 0 } of letters) {
    const row = batch.appendRow(bytes.length);
    batch.bytes.set(bytes, batch.offset[row]);
    batch.trafficClass[row] = trafficClass;
    batch.setEndpoint(row, to.words, 0);
  }
  return batch;
}

function isRemote(a: Endpoint, b: Endpoint): boolean {
  return remoteEquals(a.words, 0, b.words, 0);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function randomBytes(seed: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

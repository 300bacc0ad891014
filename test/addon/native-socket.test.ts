import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';
import type { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { NativeSocket, type NativeSocketOptions } from '../../src/host/native-socket.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { batchOf, describeDatagramSocket, Inbox, LOOPBACK } from '../conformance/datagram-socket.js';

const addon = loadAddon();
const isRoot = process.getuid!() === 0;

for (const sendOffload of [true, false])
  for (const receiveOffload of [true, false]) {
    const options = { sendOffload, receiveOffload };
    const name = `NativeSocket, GSO ${sendOffload ? 'on' : 'off'}, GRO ${receiveOffload ? 'on' : 'off'},`;
    describeDatagramSocket(name, () => ({
      open: async (port) => NativeSocket.open(addon, port, options),
      addresses: LOOPBACK,
    }));
  }

describe('NativeSocket', () => {
  afterEach(closeAll);

  it('has the same port in both families, and neither for anyone else', () => {
    const socket = open(0);
    for (const family of [4, 6] as const)
      assert.throws(() => open(socket.port, { family }), { code: 'ERR_PORT_IN_USE' });
    socket.close();
    open(socket.port).close();
  });

  it('says who holds a port', () => {
    const socket = open(0);
    assert.throws(() => open(socket.port), {
      name: 'WireGuardError',
      message: new RegExp(`^UDP port ${socket.port} is in use by .+ \\(process ${process.pid}\\)\\.$`),
    });
  });

  it('finds another port while the one that it got is taken in one family', () => {
    const holders = Array.from({ length: 200 }, () => open(0, { family: 6 }));
    for (const holder of holders) {
      const socket = open(0);
      assert.notEqual(socket.port, holder.port);
    }
  });

  it('works with one family alone, and counts datagrams for the other', async () => {
    const [a, b] = [open(0, { family: 6 }), open(0)];
    const inbox = new Inbox(b);
    const letters = LOOPBACK.map((address, i) => ({ bytes: Uint8Array.of(i), to: Endpoint.from(address, b.port) }));
    assert.equal(a.send(batchOf([...letters, ...letters]), 0), 4);
    assert.deepEqual((await inbox.next()).bytes, Uint8Array.of(1));
    assert.deepEqual((await inbox.next()).bytes, Uint8Array.of(1));
    assert.equal(a.stats.sendErrors.get('EAFNOSUPPORT'), 2);
  });

  it('carries the traffic class, ECN bits included, out and in', async () => {
    const [a, b] = [open(0), open(0)];
    const inbox = new Inbox(b);
    for (const address of LOOPBACK) {
      const classes = [0, 1, 2, 3, 0x88, 0x8b, 0x8b, 0x8b, 0xff, 0];
      const letters = classes.map((trafficClass) => ({
        bytes: new Uint8Array(9),
        to: Endpoint.from(address, b.port),
        trafficClass,
      }));
      a.send(batchOf(letters), 0);
      for (const trafficClass of classes) assert.equal((await inbox.next()).trafficClass, trafficClass);
    }
  });

  it('answers from the address that was asked, with GRO on or off', async () => {
    for (const receiveOffload of [true, false]) {
      const [a, b] = [open(0, { receiveOffload }), open(0, { receiveOffload })];
      const [atA, atB] = [new Inbox(a), new Inbox(b)];
      const asked = Uint8Array.of(127, 1, 2, 3);
      a.send(
        batchOf(Array.from({ length: 5 }, () => ({ bytes: new Uint8Array(50), to: Endpoint.from(asked, b.port) }))),
        0,
      );
      const { from } = await atB.next();
      assert.ok(from.hasSource);

      b.send(batchOf(Array.from({ length: 3 }, () => ({ bytes: new Uint8Array(7), to: from }))), 0);
      for (let i = 0; i < 3; i++) assert.deepEqual((await atA.next()).from.address, asked);
    }
  });

  for (const rows of [1, 30])
    it(`forgets a source address that has vanished, tells of it, and sends without (${rows} rows)`, async () => {
      const [a, b] = [open(0), open(0)];
      const inbox = new Inbox(b);
      const sources = [
        Uint8Array.of(192, 0, 2, 1),
        Uint8Array.of(0xfd, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
      ];
      for (const [i, address] of LOOPBACK.entries()) {
        const refused: Endpoint[] = [];
        a.onSourceRefused = (endpoint) => refused.push(endpoint);
        const to = withSource(Endpoint.from(address, b.port), 1, sources[i]!);
        const batch = batchOf(Array.from({ length: rows }, (_, row) => ({ bytes: new Uint8Array(100).fill(row), to })));

        assert.equal(a.send(batch, 0), rows);

        for (let row = 0; row < rows; row++)
          assert.deepEqual((await inbox.next()).bytes, new Uint8Array(100).fill(row));
        assert.deepEqual(refused, [to]);
        assert.equal(recordHasSource(batch), false);
        assert.equal(a.stats.sendErrors.size, 0);
        a.send(batchOf([{ bytes: new Uint8Array(1), to: Endpoint.from(address, b.port) }]), 0);
        assert.equal(refused.length, 1, 'told once');
        await inbox.next();
      }
    });

  it('counts what the system refuses by errno, and goes on with the next row', async () => {
    const [a, b] = [open(0), open(0)];
    const inbox = new Inbox(b);
    const broadcast = Endpoint.from(Uint8Array.of(255, 255, 255, 255), 9);
    const to = Endpoint.from(LOOPBACK[0]!, b.port);
    const letters = [
      { bytes: new Uint8Array(65_520), to },
      { bytes: Uint8Array.of(1), to },
      { bytes: Uint8Array.of(7), to: broadcast },
      { bytes: Uint8Array.of(2), to },
    ];
    assert.equal(a.send(batchOf(letters), 0), 4);
    for (const expected of [1, 2]) assert.deepEqual((await inbox.next()).bytes, Uint8Array.of(expected));
    assert.equal(a.stats.sendErrors.get('EMSGSIZE'), 1);
    assert.equal(
      [...a.stats.sendErrors.values()].reduce((sum, count) => sum + count),
      2,
    );
  });

  it('sets and clears the firewall mark', { skip: !isRoot && 'needs root' }, () => {
    const socket = open(0, { mark: 0xffff_fffe });
    socket.setMark(0);
  });
});

const opened: NativeSocket[] = [];

/** Opens a socket that is closed after the test, passed or failed. */
function open(port: number, options?: NativeSocketOptions): NativeSocket {
  const socket = NativeSocket.open(addon, port, options);
  opened.push(socket);
  return socket;
}

function closeAll(): void {
  for (const socket of opened.splice(0)) socket.close();
}

function withSource(endpoint: Endpoint, interfaceIndex: number, address: Uint8Array): Endpoint {
  endpoint.words[6] = interfaceIndex;
  endpoint.bytes.set(address, 28);
  return endpoint;
}

function recordHasSource(batch: PacketBatch): boolean {
  return batch.endpointWords.subarray(6, 11).some((word) => word !== 0);
}

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';

import { WireGuardError } from '../../src/core/errors.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { DgramSocket, type DgramSocketOptions } from '../../src/host/dgram-socket.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { batchOf, describeDatagramSocket, LOOPBACK } from '../conformance/datagram-socket.js';
import { waitFor } from '../lab/wait.js';

describeDatagramSocket('DgramSocket', () => ({ open: (port) => DgramSocket.open(port), addresses: LOOPBACK }));

describe('DgramSocket', () => {
  afterEach(() => {
    for (const socket of opened.splice(0)) socket.close();
  });

  it('says that a port is in use', async () => {
    const holder = await open(0);
    await assert.rejects(DgramSocket.open(holder.port), { name: 'WireGuardError', code: 'ERR_PORT_IN_USE' });
  });

  it('works with one family alone, and counts datagrams for the other', async () => {
    const socket = await open(0, { family: 4 });
    socket.send(batchOf([{ bytes: Uint8Array.of(1), to: Endpoint.from(LOOPBACK[1]!, 9) }]), 0);
    assert.equal(socket.stats.sendErrors.get('EAFNOSUPPORT'), 1);
  });

  it('refuses a firewall mark, which Node cannot set', async () => {
    const socket = await open(0);
    socket.setMark(0);
    assert.throws(
      () => socket.setMark(1),
      (error) => error instanceof WireGuardError && error.code === 'ERR_SOCKET_MARK',
    );
  });

  it('stops when too much is in flight, and calls back when there is room', async () => {
    const [a, b] = [await open(0), await open(0)];
    const to = Endpoint.from(LOOPBACK[0]!, b.port);
    const batch = batchOf(Array.from({ length: 3_000 }, () => ({ bytes: new Uint8Array(10), to })));
    let next = a.send(batch, 0);
    assert.ok(next > 0 && next < 3_000, `${next}`);
    a.onWritable = () => {
      next = a.send(batch, next);
    };
    await waitFor('all to be sent', () => next === 3_000);
  });

  it('never throws, whatever an endpoint record says', async () => {
    const socket = await open(0);
    const random = new SeededRandom(4);
    for (let i = 0; i < 300; i++) {
      const to = new Endpoint();
      random.fill(to.bytes);
      to.bytes[0] = random.pick([0, 4, 6, 255]);
      to.bytes.set(LOOPBACK[to.family === 4 ? 0 : 1]!, 8);
      if (i % 3 === 0) to.bytes.fill(0, 2, 4);
      socket.send(batchOf([{ bytes: new Uint8Array(1), to }]), 0);
    }
    socket.send(batchOf([{ bytes: new Uint8Array(1), to: new Endpoint() }]), 0);
    assert.ok(socket.stats.sendErrors.get('EINVAL')! >= 100);
  });

  it('limits waiting datagrams to some megabytes, and counts those beyond', async () => {
    const [a, b] = [await open(0), await open(0)];
    b.onReadable = () => {};
    const to = Endpoint.from(LOOPBACK[0]!, b.port);
    const batch = batchOf(Array.from({ length: 50 }, () => ({ bytes: new Uint8Array(60_000), to })));
    await waitFor('too much to be refused', () => {
      a.send(batch, 0);
      return (b.stats.receiveErrors.get('ENOBUFS') ?? 0) > 0;
    });
    const into = new PacketBatch(256, 1 << 20);
    let bytes = 0;
    while (b.receive(into) > 0) bytes += into.length.subarray(0, into.count).reduce((sum, length) => sum + length, 0);
    assert.ok(bytes > 6 << 20 && bytes <= 8 << 20, `${bytes}`);
  });

  it('counts a datagram that is too long to be sent', async () => {
    const socket = await open(0);
    socket.send(batchOf([{ bytes: new Uint8Array(65_520), to: Endpoint.from(LOOPBACK[0]!, 9) }]), 0);
    await waitFor('the error', () => socket.stats.sendErrors.get('EMSGSIZE') === 1);
  });
});

const opened: DgramSocket[] = [];

/** Opens a socket that is closed after the test, passed or failed. */
async function open(port: number, options?: DgramSocketOptions): Promise<DgramSocket> {
  const socket = await DgramSocket.open(port, options);
  opened.push(socket);
  return socket;
}

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import type { DatagramSocket } from '../../src/host/datagram-socket.js';
import { DgramSocket } from '../../src/host/dgram-socket.js';
import { NativeSocket } from '../../src/host/native-socket.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { batchOf, Inbox } from '../conformance/datagram-socket.js';
import { waitFor } from '../lab/wait.js';
import { addNamespace, inOwnNamespace, ip } from './own-namespace.js';

const addon = loadAddon();
const ECHO_PORT = 7_000;
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const REMOTE = Uint8Array.of(10, 8, 0, 2);
const REMOTE6 = Uint8Array.of(0xfd, 8, ...new Array(13).fill(0), 2);
const LINK_LOCAL = Uint8Array.of(0xfe, 0x80, ...new Array(13).fill(0), 2);

it(...inOwnNamespace(import.meta.url, () => describe('NativeSocket on real paths', definePaths)));

/**
 * ```text
 * this process   wt0 10.8.0.1 fd08::1 ──── wt0 10.8.0.2 fd08::2 fe80::2   echo on port 7000
 * ```
 */
function definePaths(): void {
  const far = addNamespace('far');
  let echo: ChildProcess;
  before(async () => {
    ip(`link add wt0 type veth peer name wt0 netns ${far.name}`);
    ip('addr add 10.8.0.1/24 dev wt0');
    ip('addr add fd08::1/64 dev wt0 nodad');
    for (const address of ['10.8.0.2/24', 'fd08::2/64 nodad', 'fe80::2/64 nodad']) {
      const [prefix = '', ...rest] = address.split(' ');
      ip(`-n ${far.name} addr add ${[prefix, 'dev wt0', ...rest].join(' ')}`);
    }
    setMtu(1_500);
    ip('link set wt0 up');
    ip(`-n ${far.name} link set wt0 up`);
    echo = spawn('ip', ['netns', 'exec', far.name, process.execPath, '-e', ECHO], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(echo.stdout!, 'data');
    await waitFor('the link', () => !ip('-6 addr show dev wt0').includes('tentative'));
    // The kernel drops datagrams until it has detected the carrier.
    for (const address of ['10.8.0.2', 'fd08::2', 'fe80::2%wt0'])
      await waitFor(`an answer of ${address}`, () => isAnswering(address));
  });
  after(async () => {
    echo.kill();
    await once(echo, 'exit');
    far.remove();
  });

  afterEach(() => {
    closeAll();
    setMtu(1_500);
  });

  const setMtu = (mtu: number): void => {
    ip(`link set wt0 mtu ${mtu}`);
    ip(`-n ${far.name} link set wt0 mtu ${mtu}`);
  };

  for (const remote of [REMOTE, REMOTE6]) {
    const family = remote.length === 4 ? 'IPv4' : 'IPv6';

    it(`sends runs longer than the MTU of the path in fragments, and short runs after them (${family})`, async () => {
      setMtu(1_280);
      const socket = open();
      const inbox = new Inbox(socket);
      for (const length of [1_400, 100, 1_400, 1_232, 1_200, 9_000])
        for (const count of [1, 20]) await echoes(socket, inbox, Endpoint.from(remote, ECHO_PORT), length, count);
      assert.equal(socket.stats.sendErrors.size, 0);
      setMtu(1_500);
    });

    it(`sends to a path whose MTU has shrunk since (${family})`, async () => {
      const socket = open();
      const inbox = new Inbox(socket);
      await echoes(socket, inbox, Endpoint.from(remote, ECHO_PORT), 1_440, 20);
      setMtu(1_300);
      await echoes(socket, inbox, Endpoint.from(remote, ECHO_PORT), 1_440, 20);
      setMtu(1_500);
      await echoes(socket, inbox, Endpoint.from(remote, ECHO_PORT), 1_440, 20);
      assert.equal(socket.stats.sendErrors.size, 0);
    });

    it(`stops where the system has no room, and goes on when there is (${family})`, async () => {
      execFileSync('tc', 'qdisc add dev wt0 root tbf rate 8kbit burst 80000 limit 200000000'.split(' '));
      const socket = open();
      const to = Endpoint.from(remote, 9);
      const batch = batchOf(Array.from({ length: 300 }, () => ({ bytes: new Uint8Array(1_400), to })));
      let next = 300;
      for (let round = 0; next === 300; round++) {
        assert.ok(round < 200, 'the system takes everything');
        next = socket.send(batch, 0);
      }
      const calls: number[] = [];
      socket.onWritable = () => {
        next = socket.send(batch, next);
        calls.push(next);
      };
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.deepEqual(calls, [], 'no room yet');
      execFileSync('tc', 'qdisc del dev wt0 root'.split(' '));
      await waitFor('the rest to be sent', () => next === 300);
    });

    it(`sends on when an address that it answered from is taken away (${family})`, async () => {
      const [second, prefix] = remote.length === 4 ? ['10.8.0.77', 24] : ['fd08::77', 64];
      ip(`addr add ${second}/${prefix} dev wt0${remote.length === 4 ? '' : ' nodad'}`);
      const socket = open();
      const inbox = new Inbox(socket);
      const to = Endpoint.from(remote, ECHO_PORT);
      to.words[6] = 1;
      to.bytes.set(remote.length === 4 ? [10, 8, 0, 77] : [0xfd, 8, ...new Array(13).fill(0), 0x77], 28);
      let refused = 0;
      socket.onSourceRefused = () => refused++;
      socket.send(batchOf([{ bytes: Uint8Array.of(1), to }]), 0);
      assert.deepEqual(
        (await inbox.next()).from.bytes.subarray(28),
        to.bytes.subarray(28),
        'asked at the second address',
      );

      ip(`addr del ${second}/${prefix} dev wt0`);
      await echoes(socket, inbox, to, 500, 10);
      assert.equal(refused, 1);
      assert.equal(socket.stats.sendErrors.size, 0);
    });
  }

  it('sends runs to one peer in few calls, whatever another endpoint refuses', () => {
    const socket = open();
    const good = Endpoint.from(REMOTE, 9);
    const bad = [Endpoint.from(REMOTE, 0), Endpoint.from(REMOTE6, 0)];
    const runTo = (to: Endpoint) => batchOf(Array.from({ length: 40 }, () => ({ bytes: new Uint8Array(1_000), to })));
    const batches = [good, ...bad].map(runTo);
    const before = sentDatagrams();
    for (let round = 0; round < 100; round++) {
      socket.send(batches[0]!, 0);
      if (round % 4 === 0) socket.send(batches[1 + ((round / 4) % 2)]!, 0);
    }
    const calls = sentDatagrams() - before;
    assert.equal(socket.stats.sendErrors.get('EINVAL'), 25 * 40);
    assert.ok(calls >= 100 && calls <= 120, `${calls} for 100 runs`);
  });

  it('remembers the limit of one path, and not for another one', async () => {
    setMtu(1_280);
    const socket = open();
    const [near, far] = [Endpoint.from(LOOPBACK, 9), Endpoint.from(REMOTE, 9)];
    const runTo = (to: Endpoint) => batchOf(Array.from({ length: 40 }, () => ({ bytes: new Uint8Array(1_400), to })));
    const [toNear, toFar] = [runTo(near), runTo(far)];
    socket.send(toFar, 0);
    const before = sentDatagrams();
    for (let round = 0; round < 50; round++) socket.send(toFar, 0);
    const one = sentDatagrams();
    for (let round = 0; round < 50; round++) socket.send(toNear, 0);
    const other = sentDatagrams();
    assert.equal(one - before, 50 * 40, 'one by one, in fragments');
    assert.ok(other - one <= 60, `${other - one} for 50 runs`);
    assert.equal(socket.stats.sendErrors.size, 0);
  });

  it('fills whole batches with datagrams that nobody merged', async () => {
    const socket = track(NativeSocket.open(addon, 0, { receiveOffload: false, sendOffload: false }));
    const sender = open();
    const to = Endpoint.from(LOOPBACK, socket.port);
    const into = new PacketBatch(256, 1 << 20);
    socket.onReadable = () => {};
    const rows: number[] = [];
    for (const length of [1, 148, 1_472, 2_048]) {
      const letters = Array.from({ length: 500 }, (_, i) => ({ bytes: new Uint8Array(length).fill(i), to }));
      sender.send(batchOf(letters), 0);
      let next = 0;
      for (let count = socket.receive(into); count > 0; count = socket.receive(into)) {
        rows.push(count);
        for (let row = 0; row < count; row++) assert.equal(into.bytes[into.offset[row]!], next++ & 0xff);
      }
      assert.equal(next, 500);
    }
    assert.ok(rows.filter((count) => count === 256).length >= 3, rows.join());
  });

  it('keeps bytes and order where long datagrams come among short ones', async () => {
    const socket = track(NativeSocket.open(addon, 0));
    const sender = track(NativeSocket.open(addon, 0, { sendOffload: false }));
    const to = Endpoint.from(LOOPBACK, socket.port);
    const inbox = new Inbox(socket, new PacketBatch(256, 1 << 20));
    const random = new SeededRandom(11);
    for (let round = 0; round < 60; round++) {
      const letters = Array.from({ length: 1 + random.integer(60) }, () => {
        const limit = random.pick([10, 1_500, 2_047, 2_049, 2_060, 9_000, 65_000]);
        return { bytes: random.bytes(random.chance(0.1) ? 0 : limit - random.integer(9)), to };
      });
      sender.send(batchOf(letters), 0);
      for (const { bytes } of letters) assert.deepEqual((await inbox.next()).bytes, bytes);
    }
    assert.equal(socket.stats.receiveErrors.size, 0);
  });

  it('reaches link-local addresses by their interface, and answers there', async () => {
    const index = Number(/^([0-9]+):/.exec(ip('-o link show wt0'))![1]);
    const sockets: DatagramSocket[] = [open(), track(await DgramSocket.open(0))];
    for (const socket of sockets) {
      const inbox = new Inbox(socket);
      socket.send(batchOf([{ bytes: Uint8Array.of(5), to: Endpoint.from(LINK_LOCAL, ECHO_PORT, index) }]), 0);
      const { from } = await inbox.next();
      assert.deepEqual([from.scopeId, from.address[0], from.address[1]], [index, 0xfe, 0x80]);
      socket.send(batchOf([{ bytes: Uint8Array.of(6), to: from }]), 0);
      assert.deepEqual((await inbox.next()).bytes, Uint8Array.of(6));
    }
  });

  it('marks nothing as not to be fragmented', async () => {
    setMtu(1_280);
    const socket = open();
    await echoes(socket, new Inbox(socket), Endpoint.from(REMOTE, ECHO_PORT), 20_000, 3);
    setMtu(1_500);
  });
}

function isAnswering(address: string): boolean {
  return spawnSync('ping', ['-n', '-c', '1', '-W', '1', address], { stdio: 'ignore' }).status === 0;
}

/** Counts the UDP datagrams that left this namespace so far. A run that was sent at once counts once. */
function sentDatagrams(): number {
  const read = (file: string, pattern: RegExp): number => Number(pattern.exec(readFileSync(file, 'utf8'))![1]);
  const v4 = read('/proc/self/net/snmp', /^Udp: \d+ \d+ \d+ (\d+)/m);
  return v4 + read('/proc/self/net/snmp6', /^Udp6OutDatagrams\s+(\d+)/m);
}

const opened: DatagramSocket[] = [];

/** The socket is closed after the test, passed or failed. */
function track(socket: DatagramSocket): DatagramSocket {
  opened.push(socket);
  return socket;
}

function open(): NativeSocket {
  const socket = NativeSocket.open(addon, 0);
  track(socket);
  return socket;
}

function closeAll(): void {
  for (const socket of opened.splice(0)) socket.close();
}

/** Sends `count` datagrams of one length, and waits until each came back unchanged. */
async function echoes(
  socket: DatagramSocket,
  inbox: Inbox,
  to: Endpoint,
  length: number,
  count: number,
): Promise<void> {
  const letters = Array.from({ length: count }, (_, i) => ({ bytes: new Uint8Array(length).fill(i), to }));
  assert.equal(socket.send(batchOf(letters), 0), count);
  for (const { bytes } of letters) assert.deepEqual((await inbox.next()).bytes, bytes, `${length} bytes`);
}

/** Returns every datagram to its sender, and reports when it is ready. */
const ECHO = `
  const { createSocket } = require('node:dgram');
  let ready = 0;
  for (const type of ['udp4', 'udp6']) {
    const socket = createSocket({ type, ipv6Only: type === 'udp6', recvBufferSize: 1 << 22 });
    socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address));
    socket.bind(${ECHO_PORT}, () => { if (++ready === 2) console.log('ready'); });
  }
`;

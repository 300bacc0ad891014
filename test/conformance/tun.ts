import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import type { Tun } from '../../src/host/tun.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { load16, UDP } from '../addon/inner-packet.js';
import { waitFor } from '../lab/wait.js';

/** A TUN together with its other side. Packets are UDP between port 5001 of the inside and port 53 of the far end, or back. */
export interface TunBench {
  readonly tun: Tun;
  readonly versions: readonly (4 | 6)[];
  /** Sends a datagram with this payload to the far end, so that it comes out of `tun.read`. */
  emit(version: 4 | 6, payload: Uint8Array): void;
  /** The payload of the next datagram that was written to the TUN and reached the inside, if one has. */
  delivered(): Uint8Array | undefined;
  /** A packet of the far end to the inside. */
  packetFor(version: 4 | 6, payload: Uint8Array): Uint8Array;
  setMtu(mtu: number): void;
  setUp(isUp: boolean): void;
  remove(): void;
  /** Ends the bench, whatever state it is in. */
  end(): void;
}

const HEADROOM_BYTES = 16;
const TAILROOM_BYTES = 32;

/** Tests the contract of the `Tun` port. */
export function describeTun(name: string, makeBench: () => Promise<TunBench>): void {
  describe(`${name} as Tun`, () => {
    const withBench = (test: (bench: TunBench) => Promise<void>) => async (): Promise<void> => {
      const bench = await makeBench();
      try {
        await test(bench);
      } finally {
        bench.end();
      }
    };

    it('reads the packets of the inside, with room around them and verdict Pass', withBench(readsPackets));
    it('keeps the order over many reads into a small batch', withBench(readsInOrder));
    it('writes the rows that pass and have a length, in order', withBench(writesRows));
    it('writes packets of the whole MTU, whatever it is', withBench(writesWholeMtu));
    it('returns 0 and an empty batch when nothing waits', withBench(readsNothing));
    it('tells of packets only while reading is on', withBench(switchesReading));
    it('knows its MTU and tells when it changes', withBench(tellsMtu));
    it('tells when the link goes down and comes up', withBench(tellsLinkState));
    it('tells once that the interface is gone', withBench(tellsRemoval));
    it('is silent after it is closed', withBench(isSilentWhenClosed));
  });
}

async function readsPackets(bench: TunBench): Promise<void> {
  const outbox = new Reader(bench.tun, new PacketBatch(256, 1 << 20));
  for (const version of bench.versions)
    for (const length of [0, 1, 2, 100, 1_000, bench.tun.mtu - 48]) {
      const payload = randomBytes(length, length);
      bench.emit(version, payload);
      const packet = await outbox.next(version);
      assert.deepEqual(payloadOf(packet), payload, `IPv${version}, ${length} bytes`);
    }
}

async function readsInOrder(bench: TunBench): Promise<void> {
  const outbox = new Reader(bench.tun, new PacketBatch(3, 10_000));
  const version = bench.versions[0]!;
  const payloads = Array.from({ length: 200 }, (_, i) => randomBytes(i, 20 + (i % 7)));
  for (const payload of payloads) bench.emit(version, payload);
  for (const [i, payload] of payloads.entries())
    assert.deepEqual(payloadOf(await outbox.next(version)), payload, `packet ${i}`);
}

async function writesRows(bench: TunBench): Promise<void> {
  for (const version of bench.versions) {
    const batch = batchOf(Array.from({ length: 60 }, (_, i) => bench.packetFor(version, new Uint8Array(50).fill(i))));
    batch.verdict[3] = Verdict.Replayed;
    batch.length[5] = 0;
    bench.tun.write(batch);
    for (let i = 0; i < 60; i++) if (i !== 3 && i !== 5) assert.equal((await deliveredTo(bench))[0], i);
  }
}

async function writesWholeMtu(bench: TunBench): Promise<void> {
  for (const mtu of [1_420, 9_000, 34_736]) {
    bench.setMtu(mtu);
    for (const version of bench.versions) {
      const payload = randomBytes(mtu, mtu - 48);
      bench.tun.write(batchOf([bench.packetFor(version, payload)]));
      assert.deepEqual(await deliveredTo(bench), payload);
    }
  }
}

async function readsNothing(bench: TunBench): Promise<void> {
  const batch = batchOf([new Uint8Array(20)]);
  bench.tun.setReading(false); // the system's own packets on a new interface
  while (bench.tun.read(batch) > 0);
  assert.deepEqual([batch.count, batch.endpointCount], [0, 0]);
}

async function switchesReading(bench: TunBench): Promise<void> {
  const version = bench.versions[0]!;
  const outbox = new Reader(bench.tun, new PacketBatch(2, 10_000));
  bench.emit(version, Uint8Array.of(1));
  await outbox.next(version);

  bench.tun.setReading(false);
  for (let i = 0; i < 5; i++) bench.emit(version, Uint8Array.of(i));
  const calls = outbox.calls;
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(outbox.calls, calls);

  bench.tun.setReading(true);
  for (let i = 0; i < 5; i++) assert.deepEqual(payloadOf(await outbox.next(version)), Uint8Array.of(i));
}

async function tellsMtu(bench: TunBench): Promise<void> {
  let changes = 0;
  bench.tun.onChange = () => changes++;
  for (const mtu of [1_280, 9_000]) {
    const before = changes;
    bench.setMtu(mtu);
    await waitFor('the change', () => changes > before && bench.tun.mtu === mtu);
  }
}

async function tellsLinkState(bench: TunBench): Promise<void> {
  assert.equal(bench.tun.isUp, true);
  let changes = 0;
  bench.tun.onChange = () => changes++;
  for (const isUp of [false, true]) {
    const before = changes;
    bench.setUp(isUp);
    await waitFor('the change', () => changes > before && bench.tun.isUp === isUp);
  }
}

async function tellsRemoval(bench: TunBench): Promise<void> {
  let removals = 0;
  const batch = new PacketBatch(8, 10_000);
  bench.tun.onRemoved = () => removals++;
  bench.tun.onReadable = () => bench.tun.read(batch);
  bench.remove();
  await waitFor('the removal', () => removals > 0);
  assert.equal(bench.tun.read(batch), 0);
  bench.tun.write(batchOf([bench.packetFor(bench.versions[0]!, Uint8Array.of(1))]));
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(removals, 1);
}

async function isSilentWhenClosed(bench: TunBench): Promise<void> {
  bench.tun.onReadable = () => assert.fail('readable');
  bench.tun.onChange = () => assert.fail('changed');
  bench.tun.onRemoved = () => assert.fail('removed');
  bench.tun.setReading(false);
  bench.emit(bench.versions[0]!, Uint8Array.of(1));
  bench.tun.close();
  bench.tun.close();
  await new Promise((resolve) => setTimeout(resolve, 30));
}

/** The datagrams of the bench that come out of a TUN; what else the system sends is passed over. */
export class Reader {
  calls = 0;
  readonly #waiting: Uint8Array[] = [];

  constructor(tun: Tun, batch: PacketBatch) {
    tun.onReadable = () => {
      this.calls++;
      tun.read(batch);
      for (let row = 0; row < batch.count; row++) this.#take(batch, row);
    };
  }

  next(version: 4 | 6): Promise<Uint8Array> {
    return waitFor('a packet', () => {
      const index = this.#waiting.findIndex((packet) => packet[0]! >> 4 === version);
      return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
    });
  }

  #take(batch: PacketBatch, row: number): void {
    assert.equal(batch.verdict[row], Verdict.Pass);
    assert.ok(batch.offset[row] >= HEADROOM_BYTES && batch.offset[row] % 16 === 0);
    assert.ok(batch.offset[row] + batch.length[row] + TAILROOM_BYTES <= batch.bytes.length);
    const packet = batch.bytes.slice(batch.offset[row], batch.offset[row] + batch.length[row]);
    if (isOurs(packet)) this.#waiting.push(packet);
  }
}

export function payloadOf(packet: Uint8Array): Uint8Array {
  return packet.subarray(headerBytes(packet) + 8);
}

export function batchOf(packets: readonly Uint8Array[]): PacketBatch {
  const batch = new PacketBatch(
    packets.length,
    packets.reduce((sum, packet) => sum + packet.length + 64, 0),
  );
  for (const packet of packets) batch.bytes.set(packet, batch.offset[batch.appendRow(packet.length)]);
  return batch;
}

function deliveredTo(bench: TunBench): Promise<Uint8Array> {
  return waitFor('the datagram', () => bench.delivered());
}

function isOurs(packet: Uint8Array): boolean {
  const at = headerBytes(packet);
  const protocol = packet[0]! >> 4 === 4 ? packet[9] : packet[6];
  return protocol === UDP && packet.length >= at + 8 && load16(packet, at) === 5_001 && load16(packet, at + 2) === 53;
}

function headerBytes(packet: Uint8Array): number {
  return packet[0]! >> 4 === 4 ? 20 : 40;
}

function randomBytes(seed: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

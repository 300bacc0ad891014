import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import type { Netstack } from '../../../src/netstack/netstack.js';
import { StackPair } from '../stack-pair.js';
import { fragment6, ipPacket, parseIcmp } from './icmp-packets.js';

const PEER4 = [10, 0, 0, 1];
const STACK4 = [10, 0, 0, 2];
const PEER6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const STACK6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
const PORT = 4_000;
const MORE = 0x2000;

/** A UDP message whose data counts up. The checksum is not tested, but IPv6 demands one. */
function udp(bytes: number): Uint8Array {
  const message = new Uint8Array(8 + bytes).map((_, i) => i);
  const view = new DataView(message.buffer);
  view.setUint16(0, 5_000);
  view.setUint16(2, PORT);
  view.setUint16(4, message.length);
  view.setUint16(6, 1);
  return message;
}

class Receiver {
  readonly stack: Netstack;
  nowMs = 1_000;
  readonly #isIpv6: boolean;
  readonly #batch = new PacketBatch(8, 512 * 1024);
  readonly #endpoint;

  constructor(isIpv6: boolean) {
    this.#isIpv6 = isIpv6;
    this.stack = new StackPair(1, {}, { isIpv6 }).b.stack;
    this.#endpoint = this.stack.udp.bind(undefined, PORT)!;
  }

  fragment(message: Uint8Array, from: number, to: number, id = 1, source?: number[]): void {
    const part = message.subarray(from, to);
    const hasMore = to < message.length;
    this.take(
      this.#isIpv6
        ? fragment6(source ?? PEER6, STACK6, 17, part, { offset: from, hasMore, id })
        : ipPacket(source ?? PEER4, STACK4, 17, part, { word: (from >> 3) | (hasMore ? MORE : 0), id }),
    );
  }

  take(packet: Uint8Array): void {
    this.#batch.clear();
    this.#batch.bytes.set(packet, this.#batch.offset[this.#batch.appendRow(packet.length)]);
    this.stack.write(this.#batch, this.nowMs);
  }

  /** Lengths of the datagrams that became whole since the last look. */
  received(): number[] {
    const lengths: number[] = [];
    for (let got = this.#endpoint.receive(); got !== undefined; got = this.#endpoint.receive())
      lengths.push(got.data.length);
    return lengths;
  }

  sent(): Uint8Array[] {
    const packets: Uint8Array[] = [];
    while (this.stack.read(this.#batch, this.nowMs) > 0)
      for (let row = 0; row < this.#batch.count; row++) {
        const at = this.#batch.offset[row]!;
        packets.push(this.#batch.bytes.slice(at, at + this.#batch.length[row]!));
      }
    return packets;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    if (this.stack.nextDeadline() <= this.nowMs) this.stack.runDue(this.nowMs);
  }
}

describe('fragments of a datagram', () => {
  it('wait 30 s for IPv4 and 60 s for IPv6; then the sender learns of it (RFC 1122 §3.3.2, RFC 8200 §4.5)', () => {
    for (const isIpv6 of [false, true]) {
      const receiver = new Receiver(isIpv6);
      const message = udp(1_000);
      receiver.fragment(message, 0, 504);
      receiver.advance((isIpv6 ? 60_000 : 30_000) - 1);
      assert.deepEqual(receiver.sent(), []);
      receiver.advance(1);
      const [answer] = receiver.sent();
      const icmp = parseIcmp(answer!)!;
      assert.deepEqual([icmp.type, icmp.code], isIpv6 ? [3, 1] : [11, 1]);
      assert.ok(answer!.length <= (isIpv6 ? 1_280 : 576));
      assert.deepEqual([...icmp.quoted.subarray(12, 16)], isIpv6 ? [...PEER6.slice(4, 8)] : PEER4);
      receiver.fragment(message, 504, 1_008);
      assert.deepEqual(receiver.received(), [], 'too late');
    }
  });

  it('that lack the first one are given up in silence (RFC 1122 §3.3.2)', () => {
    const receiver = new Receiver(false);
    receiver.fragment(udp(1_000), 504, 1_008);
    receiver.advance(60_000);
    assert.deepEqual(receiver.sent(), []);
    assert.equal(receiver.stack.nextDeadline(), Infinity);
  });

  it('that overlap end an IPv6 datagram: all that came is dropped (RFC 5722 §4, RFC 8200 §4.5)', () => {
    const receiver = new Receiver(true);
    const message = udp(1_000);
    receiver.fragment(message, 0, 504);
    receiver.fragment(message, 400, 800);
    receiver.fragment(message, 504, 1_008);
    assert.deepEqual(receiver.received(), []);
    receiver.fragment(message, 0, 504, 2);
    receiver.fragment(message, 504, 1_008, 2);
    assert.deepEqual(receiver.received(), [1_000], 'another datagram is another matter');
  });

  it('that come twice are no overlap', () => {
    const receiver = new Receiver(true);
    const message = udp(1_000);
    receiver.fragment(message, 0, 504);
    receiver.fragment(message, 0, 504);
    receiver.fragment(message, 504, 1_008);
    assert.deepEqual(receiver.received(), [1_000]);
  });

  it('of one sender take a quarter of the places: others still find some', () => {
    for (const isIpv6 of [false, true]) {
      const receiver = new Receiver(isIpv6);
      const message = udp(1_000);
      receiver.fragment(message, 0, 504, 7, isIpv6 ? [...PEER6.slice(0, 15), 77] : [10, 0, 0, 77]);
      for (let id = 0; id < 1_000; id++) receiver.fragment(message, 0, 504, 1_000 + id);
      receiver.fragment(message, 504, 1_008, 7, isIpv6 ? [...PEER6.slice(0, 15), 77] : [10, 0, 0, 77]);
      assert.deepEqual(receiver.received(), [1_000]);
      // The newest sixteen of the flood are left.
      for (let id = 999; id >= 0; id--) receiver.fragment(message, 504, 1_008, 1_000 + id);
      assert.equal(receiver.received().length, 16);
    }
  });

  it('must hold the transport header in the first one where the datagram is of IPv6 (RFC 8200 §4.5)', () => {
    const receiver = new Receiver(true);
    const tcp = new Uint8Array(64);
    receiver.take(fragment6(PEER6, STACK6, 6, tcp.subarray(0, 16), { offset: 0, hasMore: true, id: 1 }));
    receiver.take(fragment6(PEER6, STACK6, 60, tcp.subarray(0, 32), { offset: 0, hasMore: true, id: 2 }));
    assert.equal(receiver.stack.nextDeadline(), Infinity, 'nothing is kept');
  });

  it('that stand alone are whole datagrams (atomic fragments, RFC 6946 §4)', () => {
    const receiver = new Receiver(true);
    const message = udp(100);
    receiver.fragment(message, 0, 56, 9);
    receiver.take(fragment6(PEER6, STACK6, 17, message, { offset: 0, hasMore: false, id: 9 }));
    assert.deepEqual(receiver.received(), [100]);
  });

  it('are quoted with the header of the first one when the port is closed (RFC 792)', () => {
    const receiver = new Receiver(false);
    const message = udp(1_000);
    new DataView(message.buffer).setUint16(2, 9);
    receiver.fragment(message, 504, 1_008);
    receiver.fragment(message, 0, 504);
    const icmp = parseIcmp(receiver.sent()[0]!)!;
    assert.deepEqual([icmp.type, icmp.code], [3, 3]);
    assert.deepEqual([...icmp.quoted.subarray(20, 24)], [0x13, 0x88, 0, 9]);
  });

  it('pass a congestion mark of any of them on (RFC 3168 §5.3)', () => {
    const { b } = new StackPair(1);
    b.isRecording = true;
    const seen: number[] = [];
    b.stack.tcp.arrive = (view) => seen.push(view.trafficClass & 3);
    for (const marked of [0, 1, 2]) {
      for (let i = 0; i < 3; i++) {
        const word = (i < 2 ? MORE : 0) | (i * 3);
        const packet = ipPacket(PEER4, STACK4, 6, new Uint8Array(24), { word, id: marked });
        packet[1] = i === marked ? 3 : 2;
        b.deliver(packet);
      }
    }
    assert.deepEqual(seen, [3, 3, 3]);
  });
});

describe('options of an IPv4 header', () => {
  it('are skipped, none is understood (RFC 1122 §3.2.1.8, RFC 9293 §3.9.2)', () => {
    const receiver = new Receiver(false);
    const plain = ipPacket(PEER4, STACK4, 17, udp(100));
    const packet = new Uint8Array(plain.length + 8);
    packet.set(plain.subarray(0, 20));
    packet.set([0x83, 7, 4, 10, 0, 0, 9, 0], 20); // loose source route
    packet.set(plain.subarray(20), 28);
    packet[0] = 0x47;
    new DataView(packet.buffer).setUint16(2, packet.length);
    receiver.take(packet);
    assert.deepEqual(receiver.received(), [100]);
  });
});

describe('identification', () => {
  it('of what is cut differs between destinations, and counts up towards each (RFC 6864 §4.2, RFC 7739 §5.3)', () => {
    const { a, b } = new StackPair(1);
    a.isRecording = true;
    a.conditions = { filter: () => false };
    const idTo = (destination: Int32Array): number => {
      a.sent = [];
      a.stack.udp.send(a.address, 1, destination, 2, new Uint8Array(3_000));
      a.pump();
      const ids = new Set(a.sent.map((packet) => new DataView(packet.buffer).getUint16(4)));
      assert.equal(ids.size, 1, 'all fragments of a datagram have one');
      return [...ids][0]!;
    };
    const other = Int32Array.of(0, 0, 0xffff, 0x0a000009);
    const first = idTo(b.address);
    assert.notEqual(idTo(other), first);
    const more = Array.from({ length: 1_000 }, () => idTo(b.address));
    assert.equal(new Set(more).size, 1_000);
    assert.ok(!more.includes(first));
  });

  it('of a packet that nobody may cut is 0 (RFC 6864 §4.1)', () => {
    const { a, b } = new StackPair(1);
    a.isRecording = true;
    a.stack.udp.send(a.address, 1, b.address, 2, new Uint8Array(10));
    a.pump();
    const view = new DataView(a.sent[0]!.buffer);
    assert.deepEqual([view.getUint16(4), view.getUint16(6) & 0x4000, a.sent[0]![8]], [0, 0x4000, 64]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addressWords } from '../../../src/netstack/address.js';
import { buildSegment, F, RawPeer, type Segment } from '../raw-peer.js';
import { StackPair } from '../stack-pair.js';
import { dataOf, MSS_1380, SACK_PERMITTED, sack, stampsOf } from './segments.js';

const MSS = 1_380;
const CE = 3;
const ECT0 = 2;

/** A connection whose client asked for marks. */
function marked(): { peer: RawPeer; seq: number; ack: number; synAckFlags: number } {
  const peer = new RawPeer();
  peer.listen();
  peer.send({ flags: F.SYN | F.ECE | F.CWR, seq: 99, options: [...MSS_1380, ...SACK_PERMITTED] });
  const synAck = peer.reply();
  const at = { seq: 100, ack: (synAck.seq + 1) | 0 };
  peer.send({ flags: F.ACK, ...at });
  return { peer, ...at, synAckFlags: synAck.flags };
}

function sendMarked(peer: RawPeer, segment: Segment): void {
  const packet = buildSegment(segment);
  packet[1] = CE;
  peer.pair.b.deliver(packet);
}

describe('congestion marks (RFC 3168)', () => {
  it('are agreed to when the client asks, and asked for by option only (§6.1.1)', () => {
    assert.equal(marked().synAckFlags, F.SYN | F.ACK | F.ECE);
    for (const wantsEcn of [false, true]) {
      const pair = new StackPair(1, {}, { wantsEcn });
      pair.a.isRecording = true;
      pair.a.connect(80);
      assert.equal(pair.a.sent[0]![33], F.SYN | (wantsEcn ? F.ECE | F.CWR : 0));
      assert.equal(pair.a.sent[0]![1]! & 3, 0, 'a SYN itself is not capable');
    }
  });

  it('stand on new data only: not on ACKs, not on what is sent again (§6.1.4, §6.1.5)', () => {
    const { peer, seq, ack } = marked();
    const traffic = (): number[] => peer.pair.b.sent.splice(0).map((packet) => packet[1]! & 3);
    peer.replies();
    const { b } = peer.pair;
    b.sent = [];
    peer.write(new Uint8Array(3 * MSS));
    assert.deepEqual(traffic(), [ECT0, ECT0, ECT0]);
    peer.send({ flags: F.ACK, seq, ack, data: Uint8Array.of(1) });
    assert.deepEqual(traffic(), [0]);
    peer.send({ flags: F.ACK, seq: seq + 1, ack, options: sack((ack + MSS) | 0, (ack + 3 * MSS) | 0) });
    peer.advance(50);
    assert.deepEqual(traffic(), [0]);
  });

  it('are echoed on every ACK until CWR, and a mark on that segment begins again (§6.1.3)', () => {
    const { peer, seq, ack } = marked();
    const data = Uint8Array.of(1);
    peer.replies();
    sendMarked(peer, { flags: F.ACK, seq, ack, data });
    peer.send({ flags: F.ACK, seq: seq + 1, ack, data });
    assert.deepEqual(
      peer.replies().map((reply) => reply.flags & F.ECE),
      [F.ECE, F.ECE],
    );
    sendMarked(peer, { flags: F.ACK | F.CWR, seq: seq + 2, ack, data });
    assert.equal(peer.reply().flags & F.ECE, F.ECE);
    peer.send({ flags: F.ACK | F.CWR, seq: seq + 3, ack, data });
    assert.equal(peer.reply().flags & F.ECE, 0);
  });

  it('reduce the window once in a round trip, to 0.7, and CWR tells (§6.1.2, RFC 9438 §4.6)', () => {
    const { peer, seq, ack } = marked();
    peer.write(new Uint8Array(30 * MSS));
    peer.replies();
    const before = peer.flow!.congestion.windowBytes;
    for (let i = 1; i <= 5; i++) peer.send({ flags: F.ACK | F.ECE, seq, ack: (ack + i * MSS) | 0 });
    const { windowBytes } = peer.flow!.congestion;
    assert.ok(windowBytes > 0.65 * before && windowBytes < 0.85 * before, `${windowBytes / before}`);
    const cwr = dataOf(peer).filter((reply) => (reply.flags & F.CWR) !== 0);
    assert.ok(cwr.length <= 1);
    peer.send({ flags: F.ACK | F.ECE, seq, ack: peer.flow!.ecnReducedEnd });
    assert.ok(peer.flow!.congestion.windowBytes < windowBytes, 'the next round trip');
  });
});

describe('urgent data (RFC 6093)', () => {
  it('is delivered in line, wherever the pointer shows, and none is ever sent (§3, §6)', () => {
    for (const pointer of [0, 1, 5, 0xffff]) {
      const peer = new RawPeer();
      const at = peer.open();
      const packet = buildSegment({ flags: F.ACK | F.URG, ...at, data: Uint8Array.of(1, 2, 3) });
      new DataView(packet.buffer).setUint16(38, pointer);
      peer.pair.b.deliver(packet);
      assert.deepEqual([...peer.read()], [1, 2, 3]);
      peer.write(new Uint8Array(100));
      for (const reply of peer.replies()) assert.equal(reply.flags & F.URG, 0);
    }
  });
});

describe('keepalive (RFC 9293 §3.8.4)', () => {
  it('is off unless the program asks, and waits two hours unless it says otherwise', () => {
    const peer = new RawPeer();
    peer.open();
    peer.advance(8_000_000);
    assert.equal(peer.replies().length, 0);
    peer.stack.tcp.setKeepalive(peer.flow!, true, 0, peer.nowMs);
    peer.pair.b.pump();
    peer.advance(7_199_999);
    assert.equal(peer.replies().length, 0);
    peer.advance(1);
    assert.equal(peer.replies().length, 1);
    peer.advance(75_000);
    assert.equal(peer.replies().length, 1);
  });

  it('ends with RST of the peer, and with an answer to a later probe goes on', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.stack.tcp.setKeepalive(peer.flow!, true, 10_000, peer.nowMs);
    peer.pair.b.pump();
    peer.advance(10_000 + 3 * 75_000);
    peer.send({ flags: F.ACK, ...at });
    peer.replies();
    peer.advance(9_999);
    assert.equal(peer.replies().length, 0);
    peer.send({ flags: F.RST, seq: at.seq });
    assert.equal(peer.flow!.closedBy, 'reset');
    peer.advance(1_000_000);
    assert.equal(peer.replies().length, 0);
  });
});

describe('numbers that a stranger must not guess', () => {
  it('choose ports from a keyed start towards each end, and never one in use (RFC 6056 §3.3.3)', () => {
    const ports = (seed: number, last: number): number[] => {
      const { a } = new StackPair(seed);
      const remote = addressWords(Uint8Array.of(10, 0, 9, last));
      return Array.from({ length: 50 }, () => a.stack.tcp.connect(a.address, remote, 80, 1_000)!.localPort);
    };
    const first = ports(1, 1);
    assert.equal(new Set(first).size, 50);
    for (const port of first) assert.ok(port >= 32_768 && port <= 60_999);
    assert.notEqual(first[0], ports(1, 2)[0], 'another end');
    assert.notEqual(first[0], ports(2, 1)[0], 'another secret');
    const { a } = new StackPair(3);
    const remote = addressWords(Uint8Array.of(10, 0, 9, 1));
    const all = Array.from({ length: 28_232 }, () => a.stack.tcp.connect(a.address, remote, 80, 1_000)!.localPort);
    assert.equal(new Set(all).size, 28_232);
    assert.equal(a.stack.tcp.connect(a.address, remote, 80, 1_000), undefined, 'none is left');
    assert.notEqual(a.stack.tcp.connect(a.address, remote, 81, 1_000), undefined, 'towards this port');
  });

  it('shift the clock of stamps by an amount of each connection (RFC 7323 §7.1)', () => {
    const { a } = new StackPair(1);
    a.isRecording = true;
    a.conditions = { filter: () => false };
    for (let i = 0; i < 20; i++) a.connect(80);
    const stamps = a.sent.map((packet) => stampsOf({ options: packet.subarray(40) } as never)!.value);
    assert.equal(new Set(stamps).size, 20);
  });
});

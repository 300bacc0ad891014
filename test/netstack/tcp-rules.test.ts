import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { TCP_STATE_NAMES } from '../../src/netstack/tcp/tcp-state.js';
import { F, PEER_ISS, RawPeer, type Reply } from './raw-peer.js';
import { StackPair, Transfer } from './stack-pair.js';

const MSS_1380 = [2, 4, 0x05, 0x64];
const SACK_OK = [4, 2];
const SCALE_7 = [3, 3, 7];

function ackOf(reply: Reply): number {
  return (reply.seq + reply.data.length + (reply.flags & F.FIN)) | 0;
}

describe('closing', () => {
  it('sends FIN behind data that waits for the window (row 1)', () => {
    const peer = new RawPeer();
    const at = peer.open(MSS_1380, 1_000);
    peer.write(new Uint8Array(5_000));
    const first = peer.replies();
    assert.equal(
      first.reduce((sum, reply) => sum + reply.data.length, 0),
      1_000,
    );
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 1_000) | 0, window: 0 });
    peer.shutdown();
    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'FinWait1');
    peer.replies();

    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 1_000) | 0, window: 60_000 });

    const rest = peer.replies();
    assert.equal(
      rest.reduce((sum, reply) => sum + reply.data.length, 0),
      4_000,
    );
    assert.equal(rest.at(-1)!.flags & F.FIN, F.FIN);
    peer.send({ flags: F.ACK, seq: at.seq, ack: ackOf(rest.at(-1)!) });
    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'FinWait2');
  });

  it('sends FIN again with the same sequence number, and gives up in the end (row 4)', () => {
    const peer = new RawPeer();
    peer.open();
    peer.shutdown();
    const fin = peer.reply();

    peer.advance(60_000);

    const again = peer.replies();
    assert.ok(again.length >= 5);
    for (const reply of again) assert.deepEqual([reply.flags & F.FIN, reply.seq], [F.FIN, fin.seq]);
    peer.advance(2_000_000);
    assert.equal(peer.flow!.closedBy, 'timed-out');
    assert.equal(peer.stack.tcp.flowCount, 0);
  });

  it('resets when the program closes with bytes unread (row 5, RFC 2525 §2.17)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack, data: Uint8Array.of(1) });
    peer.replies();

    peer.stack.tcp.close(peer.flow!, peer.nowMs);
    peer.pair.b.pump();

    assert.equal(peer.reply().flags & F.RST, F.RST);
    assert.equal(peer.stack.tcp.flowCount, 0);
  });

  it('leaves FIN-WAIT-2 after 60 s when nobody holds the connection, and never otherwise', () => {
    for (const isOrphan of [true, false]) {
      const peer = new RawPeer();
      const at = peer.open();
      if (isOrphan) peer.stack.tcp.close(peer.flow!, peer.nowMs);
      else peer.stack.tcp.shutdown(peer.flow!);
      peer.pair.b.pump();
      peer.replies();
      peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 1) | 0 });
      peer.advance(61_000);
      assert.equal(peer.stack.tcp.flowCount, isOrphan ? 0 : 1);
    }
  });

  it('takes a FIN whose data was acknowledged without it (row 17)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.write(new Uint8Array(10));
    peer.shutdown();
    const sent = peer.replies();

    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 10) | 0 });
    peer.advance(400);

    assert.ok(sent.some((reply) => (reply.flags & F.FIN) !== 0));
    const again = peer.replies().find((reply) => (reply.flags & F.FIN) !== 0)!;
    assert.equal(again.seq, (at.ack + 10) | 0);
  });
});

describe('windows', () => {
  it('survive a peer that shrinks its window to every value while data is in flight (row 14)', () => {
    for (let window = 0; window < 3_000; window += 97) {
      const peer = new RawPeer();
      const at = peer.open(MSS_1380, 3_000);
      peer.write(new Uint8Array(10_000));
      peer.replies();
      peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 100) | 0, window });
      peer.advance(5_000);
      for (let acked = 2_760; acked < 10_000; ) {
        peer.replies();
        peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + acked) | 0, window: 60_000 });
        peer.advance(300);
        const ends = peer.replies().map((reply) => (reply.seq + reply.data.length - at.ack) | 0);
        assert.ok(Math.max(...ends) > acked, `window ${window}: nothing behind ${acked}`);
        acked = Math.max(...ends);
      }
    }
  });

  it('are probed for ever while the peer answers, with a segment that demands an answer (row 31)', () => {
    const peer = new RawPeer();
    const at = peer.open(MSS_1380, 1_000);
    peer.write(new Uint8Array(5_000));
    peer.replies();
    const ack = (at.ack + 1_000) | 0;
    peer.send({ flags: F.ACK, seq: at.seq, ack, window: 0 });
    let probes = 0;
    for (let minute = 0; minute < 60; minute++) {
      peer.advance(60_000);
      for (const reply of peer.replies()) {
        assert.equal(reply.seq, (ack - 1) | 0);
        assert.equal(reply.data.length, 0);
        probes++;
        peer.send({ flags: F.ACK, seq: at.seq, ack, window: 0 });
      }
    }
    assert.ok(probes >= 30, `${probes} probes`);
    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Established');

    peer.send({ flags: F.ACK, seq: at.seq, ack, window: 60_000 });
    assert.equal(
      peer.replies().reduce((sum, reply) => sum + reply.data.length, 0),
      4_000,
    );
  });

  it('of ours that are closed are opened at once when the program reads (rows 32, 34)', () => {
    const peer = new RawPeer();
    let { seq, ack } = peer.open();
    const chunk = new Uint8Array(1_380);
    for (let i = 0; i < 120 && peer.flow!.window.window(peer.flow!.rcvNxt) > 0; i++) {
      const room = Math.min(chunk.length, peer.flow!.window.window(peer.flow!.rcvNxt));
      peer.send({ flags: F.ACK, seq, ack, data: chunk.subarray(0, room) });
      seq = (seq + room) | 0;
    }
    peer.advance(50);
    assert.equal(peer.replies().at(-1)!.window, 0);
    peer.advance(1_000);
    // A probe is answered while the window is closed, and its data is not taken.
    peer.send({ flags: F.ACK, seq, ack, data: Uint8Array.of(1) });
    assert.deepEqual([peer.reply().ack, peer.flow!.rcvNxt], [seq, seq]);

    peer.read();

    assert.ok(peer.reply().window > 0);
  });

  it('that both are closed are silent but for probes (row 10)', () => {
    const pair = new StackPair(1, { delayMs: 1 });
    const data = new Uint8Array(3_000_000);
    for (const node of [pair.a, pair.b]) node.onEvent = (flow) => node.stack.tcp.write(flow, data, 0, data.length);
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      pair.b.stack.tcp.write(flow, data, 0, data.length);
    };
    const client = pair.a.connect(80);
    pair.advance(5_000);
    const before = pair.a.packets + pair.b.packets;
    pair.advance(60_000);
    assert.ok(client.sndWnd === 0 && client.unsentBytes > 0);
    assert.ok(pair.a.packets + pair.b.packets - before < 60);
  });

  it('of a SYN are not scaled, and scaling needs both sides (row 78)', () => {
    for (const options of [MSS_1380, [...MSS_1380, ...SCALE_7]]) {
      const peer = new RawPeer();
      peer.open(options, 100);
      peer.write(new Uint8Array(100_000));
      const sent = peer.replies().reduce((sum, reply) => sum + reply.data.length, 0);
      // 100 × 2^7 bytes hold nine whole segments.
      assert.equal(sent, options.length > 4 ? 9 * 1_380 : 100);
    }
  });
});

describe('retransmission', () => {
  it('fires though duplicate ACKs keep coming (row 23)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.write(new Uint8Array(1_000));
    peer.replies();
    const startMs = peer.nowMs;
    let again: Reply | undefined;
    for (let i = 0; i < 60 && again === undefined; i++) {
      peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack, window: 65_535 });
      peer.advance(50);
      again = peer.replies().find((reply) => reply.data.length > 0);
    }
    assert.ok(again !== undefined && again.atMs - startMs <= 1_200);
  });

  it('doubles its distance, and starts over after a success (rows 24, 25)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.write(new Uint8Array(1_000));
    const startMs = peer.reply().atMs;
    peer.advance(40_000);
    const times = peer.replies().map((reply) => reply.atMs - startMs);
    for (let i = 2; i < times.length; i++) {
      const ratio = (times[i]! - times[i - 1]!) / (times[i - 1]! - times[i - 2]!);
      assert.ok(ratio > 1.9 && ratio < 2.1, `${times}`);
    }
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 1_000) | 0 });
    // The ACK of what was sent twice measures nothing (Karn): the next one does.
    peer.write(new Uint8Array(10));
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 1_010) | 0 });
    peer.write(new Uint8Array(10));
    const second = peer.replies().at(-1)!;
    peer.advance(2_000);
    const again = peer.replies().filter((reply) => reply.data.length > 0);
    assert.ok(again[0]!.atMs - second.atMs <= 1_100, 'the timeout is the one of the path again');
  });

  it('follows a SYN that was answered after 5 s within a second (row 30)', () => {
    const pair = new StackPair(1, { delayMs: 10, filter: (_, number) => number !== 9 });
    let isOpen = false;
    pair.a.conditions = { delayMs: 10, filter: () => isOpen };
    pair.events.schedule(pair.events.nowMs + 4_500, () => {
      isOpen = true;
    });
    pair.b.stack.tcp.listen(undefined, 80);
    const flow = pair.a.connect(80);
    assert.ok(pair.advanceUntil(() => flow.state === 3, 20_000));
    isOpen = false;
    pair.a.stack.tcp.write(flow, new Uint8Array(100), 0, 100);
    pair.a.pump();
    isOpen = true;
    const startMs = pair.events.nowMs;
    assert.ok(pair.advanceUntil(() => flow.records.count === 0, 20_000));
    assert.ok(pair.events.nowMs - startMs <= 1_100);
  });

  it('cuts what is sent again at the segment size of now (row 16)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.write(new Uint8Array(13_800));
    peer.replies();
    peer.flow!.mss = 500;
    for (const acked of [1, 700, 1_381, 5_000]) {
      peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + acked) | 0 });
      peer.advance(3_000);
    }
    for (const reply of peer.replies()) assert.ok(reply.data.length <= 1_380);
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 13_800) | 0 });
    assert.equal(peer.flow!.records.count, 0);
  });

  it('is fast at the third duplicate ACK of a peer without SACK, and not at a window update (row 75)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.write(new Uint8Array(13_800));
    peer.replies();
    for (let i = 0; i < 10; i++) {
      peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack, window: 60_000 - i });
      assert.deepEqual(
        peer.replies().filter((reply) => reply.seq === at.ack),
        [],
      );
    }
    for (let i = 0; i < 3; i++) peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack, window: 59_991 });
    assert.equal(peer.replies().filter((reply) => reply.seq === at.ack).length, 1);
  });

  it('survives 1,000 duplicate ACKs (row 26)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.write(new Uint8Array(60_000));
    for (let i = 0; i < 1_000; i++) peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack });
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 13_800) | 0 });
    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Established');
  });

  it('sends only the hole when SACK reports the rest', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, ...SACK_OK]);
    peer.write(new Uint8Array(13_800));
    peer.replies();
    peer.advance(20);
    peer.replies();
    const block = (n: number): number[] => [...new Uint8Array(new Uint32Array([n]).buffer)].reverse();
    peer.send({
      flags: F.ACK,
      seq: at.seq,
      ack: at.ack,
      options: [5, 10, ...block(at.ack + 1_380), ...block(at.ack + 13_800)],
    });
    const again = peer.replies().filter((reply) => reply.data.length > 0);
    assert.deepEqual(
      again.map((reply) => [reply.seq, reply.data.length]),
      [[at.ack, 1_380]],
    );
  });

  it('makes progress with any MSS that a peer announces (row 79)', () => {
    for (const mss of [0, 1, 12, 13, 48, 536]) {
      const peer = new RawPeer();
      peer.open([2, 4, mss >> 8, mss & 255, ...SACK_OK]);
      peer.write(new Uint8Array(1_000));
      const sent = peer.replies();
      assert.ok(sent.length > 0 && sent.every((reply) => reply.data.length > 0 && reply.data.length <= 536));
      assert.ok(sent[0]!.data.length >= 8, `MSS ${mss}: ${sent[0]!.data.length}`);
    }
  });
});

describe('small packets', () => {
  it('wait for an ACK of the last small one by Nagle, and not with NODELAY', () => {
    for (const isNoDelay of [false, true]) {
      const peer = new RawPeer();
      peer.open();
      peer.flow!.isNoDelay = isNoDelay;
      peer.write(new Uint8Array(10));
      peer.write(new Uint8Array(10));
      assert.equal(peer.replies().length, isNoDelay ? 2 : 1);
    }
  });

  it('are acknowledged within 40 ms, and every second segment at once, behind the quick start', () => {
    const peer = new RawPeer();
    let { seq, ack } = peer.open();
    const data = (): void => {
      peer.send({ flags: F.ACK, seq, ack, data: new Uint8Array(10) });
      seq = (seq + 10) | 0;
    };
    for (let i = 0; i < 16; i++) data();
    assert.equal(peer.replies().length, 16);
    data();
    assert.equal(peer.replies().length, 0);
    data();
    assert.equal(peer.replies().length, 1);
    data();
    peer.advance(39);
    assert.equal(peer.replies().length, 0);
    peer.advance(1);
    assert.equal(peer.reply().ack, seq);
  });
});

describe('keepalive (RFC 9293 §3.8.4)', () => {
  it('probes an idle connection, and ends it when nine probes stay without answer', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.stack.tcp.setKeepalive(peer.flow!, true, 10_000, peer.nowMs);
    peer.pair.b.pump();
    peer.advance(10_000);
    const probe = peer.reply();
    assert.deepEqual([probe.seq, probe.data.length], [(at.ack - 1) | 0, 0]);
    peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack });
    peer.advance(9_999);
    assert.equal(peer.replies().length, 0);
    peer.advance(10_000 + 9 * 75_000);
    assert.equal(peer.replies().length, 9);
    assert.equal(peer.flow!.closedBy, 'timed-out');
  });
});

describe('initial sequence numbers (RFC 6528)', () => {
  it('differ by something else each time, and grow for the same two ends (row 22)', () => {
    const { a } = new StackPair(1);
    const seen = new Set<number>();
    let last: number | undefined;
    for (let i = 0; i < 10_000; i++) {
      const flow = a.stack.tcp.connect(a.address, a.peer.address, 80, 1_000)!;
      if (last !== undefined) seen.add((flow.iss - last) | 0);
      last = flow.iss;
    }
    assert.equal(seen.size, 9_999, 'no difference comes twice');
    const early = new StackPair(2).a;
    const first = early.stack.tcp.connect(early.address, early.peer.address, 80, 1_000, 9)!;
    early.stack.tcp.abort(first);
    const second = early.stack.tcp.connect(early.address, early.peer.address, 80, 5_000, 9)!;
    assert.ok(((second.iss - first.iss) | 0) > 0);
  });
});

describe('the backlog', () => {
  it('drops the last ACK when nobody takes connections, and lets in later', () => {
    const pair = new StackPair(1, { delayMs: 1 });
    const listener = pair.b.stack.tcp.listen(undefined, 80, 2)!;
    const accepted: unknown[] = [];
    for (let i = 0; i < 5; i++) pair.a.connect(80);
    pair.b.onAccept = (flow) => accepted.push(flow);
    pair.advance(10_000);
    assert.equal(accepted.length, 5);
    assert.ok(listener.halfOpenCount === 0 && pair.b.stack.tcp.handshakes.overflows >= 0);
  });
});

describe('path MTU', () => {
  const quote = (peer: RawPeer, at: number, mtu: number): Uint8Array => {
    const sent = peer.pair.b.sent[at]!;
    const icmp = new Uint8Array(20 + 8 + 28);
    icmp.set([0x45, 0, 0, icmp.length, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 2]);
    icmp.set([3, 4, 0, 0, 0, 0, mtu >> 8, mtu & 255], 20);
    icmp.set(sent.subarray(0, 28), 28);
    return icmp;
  };

  it('shrinks for an error that quotes what is in flight, and sends again at once (row 35)', () => {
    const peer = new RawPeer();
    peer.open();
    peer.write(new Uint8Array(5_000));
    const { sent } = peer.pair.b;
    const first = sent.findIndex((packet) => packet.length > 1_000);
    peer.replies();

    peer.pair.b.deliver(quote(peer, first, 1_280));

    const again = peer.replies();
    assert.ok(again.length > 0 && again.every((reply) => reply.data.length <= 1_240));
    assert.equal(peer.flow!.mss, 1_240);
    peer.pair.b.deliver(quote(peer, first, 1_400));
    peer.pair.b.deliver(quote(peer, first, 100));
    assert.equal(peer.flow!.mss, 512, 'never up, and never below 552');
  });

  it('does not shrink for a sequence number that is not in flight (RFC 5927 §4.1)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.write(new Uint8Array(5_000));
    const first = peer.pair.b.sent.findIndex((packet) => packet.length > 1_000);
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 5_000) | 0 });

    peer.pair.b.deliver(quote(peer, first, 600));

    assert.equal(peer.flow!.mss, 1_380);
  });

  it('is found when large packets vanish without an answer (row 35)', () => {
    const pair = new StackPair(1, { delayMs: 10, filter: (packet) => packet.length <= 1_200 });
    const data = pair.random.bytes(100_000);
    let server: Transfer | undefined;
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      server = new Transfer(pair.b, flow, new Uint8Array(0));
      server.take();
    };
    const client = new Transfer(pair.a, pair.a.connect(80), data);
    assert.ok(pair.advanceUntil(() => client.closedBy !== undefined, 60_000));
    assert.ok(Buffer.compare(server!.bytes, data) === 0);
  });
});

describe('two segments of one moment', () => {
  it('are both taken: RST of an open connection, and SYN of the next (row 69)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.send({ flags: F.RST, seq: at.seq });
    peer.send({ flags: F.SYN, seq: (PEER_ISS + 5_000) | 0 });
    assert.equal(peer.replies().at(-1)!.flags, F.SYN | F.ACK);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { NetstackTun } from '../../../src/host/netstack-tun.js';
import { ReceiveWindow } from '../../../src/netstack/tcp/receive-window.js';
import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';
import { TCP_STATE_NAMES, TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { F, PEER_ISS, parseSegment, RawPeer, type Reply } from '../raw-peer.js';
import { StackPair, Transfer } from '../stack-pair.js';

const MSS_1380 = [2, 4, 0x05, 0x64];
const SCALE_7 = [1, 3, 3, 7];
const HOUR_MS = 3_600_000;

function isData(reply: Reply): boolean {
  return reply.data.length > 0;
}

describe('ACKs that repeat a number', () => {
  it('with data, or with another window, are no duplicates (row 75, RFC 5681 §2)', () => {
    const peer = new RawPeer();
    let { seq, ack } = peer.open();
    peer.write(new Uint8Array(13_800));
    peer.replies();
    for (let i = 0; i < 10; i++) {
      peer.send({ flags: F.ACK, seq, ack, data: Uint8Array.of(i) });
      seq = (seq + 1) | 0;
    }
    assert.deepEqual(peer.replies().filter(isData), []);
    assert.equal(peer.flow!.loss.duplicateAcks, 0);
  });

  it('because the reader drains slowly start no fast retransmission (row 75)', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const pair = new StackPair(seed, { delayMs: 10 });
      let server: TcpFlow | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        server = flow;
      };
      let dataBytes = 0;
      pair.a.conditions = {
        delayMs: 10,
        filter: (packet) => {
          dataBytes += parseSegment(packet).data.length;
          return true;
        },
      };
      const data = pair.random.bytes(400_000);
      const client = new Transfer(pair.a, pair.a.connect(80), data);
      client.flow.hasSack = false;
      pair.advance(100);
      const into = new Uint8Array(3_000);
      let read = 0;
      for (let step = 0; read < data.length && step < 5_000; step++) {
        read += pair.b.stack.tcp.read(server!, into, 0, 1 + pair.random.integer(3_000), pair.events.nowMs);
        pair.b.pump();
        pair.advance(5);
      }
      assert.equal(read, data.length);
      assert.equal(dataBytes, data.length, `seed ${seed}: nothing was sent twice`);
    }
  });
});

describe('FIN', () => {
  it('leaves with the last small segment, whatever Nagle would hold back (row 76)', () => {
    const peer = new RawPeer();
    const { ack } = peer.open();
    peer.write(new Uint8Array(10));
    assert.equal(peer.replies().length, 1);
    peer.write(new Uint8Array(10));
    assert.equal(peer.replies().length, 0);

    peer.shutdown();

    const last = peer.reply();
    assert.deepEqual([last.flags & F.FIN, last.seq, last.data.length], [F.FIN, (ack + 10) | 0, 10]);
  });

  it('is taken at a closed window: it brings nothing that needs room (row 76)', () => {
    const peer = new RawPeer();
    let { seq, ack } = peer.open();
    while (peer.flow!.window.window(peer.flow!.rcvNxt) > 0) {
      const room = Math.min(1_380, peer.flow!.window.window(peer.flow!.rcvNxt));
      peer.send({ flags: F.ACK, seq, ack, data: new Uint8Array(room) });
      seq = (seq + room) | 0;
    }
    peer.replies();
    peer.send({ flags: F.FIN | F.ACK, seq, ack, data: Uint8Array.of(1) });
    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Established', 'FIN behind data that has no room does not count');
    assert.equal(peer.reply().ack, seq);

    peer.send({ flags: F.FIN | F.ACK, seq, ack });

    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'CloseWait');
    assert.equal(peer.replies().at(-1)!.ack, (seq + 1) | 0);
  });

  it('of ours leaves at a closed window when no data is in front of it (row 76)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    peer.send({ flags: F.ACK, seq, ack, window: 0 });
    peer.shutdown();
    const fin = peer.replies().at(-1)!;
    assert.deepEqual([fin.flags & F.FIN, fin.seq], [F.FIN, ack]);
  });

  it('whose segment lies partly outside of the window counts when the rest has come (row 76)', () => {
    const peer = new RawPeer();
    let { seq, ack } = peer.open();
    const roomOf = (): number => peer.flow!.window.window(peer.flow!.rcvNxt);
    for (; roomOf() > 500; seq = (seq + 500) | 0) peer.send({ flags: F.ACK, seq, ack, data: new Uint8Array(500) });
    const room = roomOf();
    peer.send({ flags: F.FIN | F.ACK, seq, ack, data: new Uint8Array(room + 100) });
    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Established', 'its end is outside');
    seq = (seq + room) | 0;
    peer.read();

    peer.send({ flags: F.FIN | F.ACK, seq: (seq - room) | 0, ack, data: new Uint8Array(room + 100) });

    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'CloseWait');
    assert.equal(peer.read().length, 100);
  });
});

describe('a congestion window of one segment', () => {
  it('lets what was lost go out again, though much is in flight (row 77)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    peer.write(new Uint8Array(13_800));
    peer.replies();
    peer.advance(5_000);
    const again = peer.replies().filter(isData);
    assert.ok(again.length >= 1 && again.every((reply) => reply.seq === ack));
    assert.ok(peer.flow!.congestion.windowBytes <= 1_380);
    let acked = 1_380;
    for (let round = 0; round < 40 && acked < 13_800; round++) {
      peer.send({ flags: F.ACK, seq, ack: (ack + acked) | 0 });
      for (const reply of peer.replies().filter(isData)) {
        const at = (reply.seq - ack) | 0;
        if (at <= acked) acked = Math.max(acked, at + reply.data.length);
      }
      peer.advance(50);
    }
    assert.equal(acked, 13_800, 'each ACK lets more go out');
  });

  it('or of nothing at all still lets the first lost segment go out at a timeout (row 77)', () => {
    const peer = new RawPeer();
    const { ack } = peer.open();
    peer.write(new Uint8Array(13_800));
    peer.replies();
    Object.defineProperty(peer.flow!.congestion, 'windowBytes', { get: () => 0, set() {} });
    peer.advance(5_000);
    const again = peer.replies().filter(isData);
    assert.ok(again.length >= 1 && again.every((reply) => reply.seq === ack));
  });

  it('does not hold back the probe of a closed window (row 77)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open(MSS_1380, 1_380);
    peer.write(new Uint8Array(5_000));
    peer.replies();
    peer.advance(1_500); // a timeout
    peer.send({ flags: F.ACK, seq, ack: (ack + 1_380) | 0, window: 0 });
    peer.flow!.congestion.windowBytes = 0;
    peer.replies();
    peer.advance(5_000);
    assert.ok(peer.replies().length >= 1);
  });
});

describe('window scaling', () => {
  it('is used when both sides offer it and by neither otherwise, for each side of the handshake (row 78)', () => {
    for (const isActive of [true, false])
      for (const isOffered of [true, false]) {
        const peer = new RawPeer();
        const options = isOffered ? [...MSS_1380, ...SCALE_7] : MSS_1380;
        let ack: number;
        let first: Reply;
        if (isActive) {
          const { b } = peer.pair;
          peer.flow = b.stack.tcp.connect(b.address, b.peer.address, 5_000, b.nowMs, 80)!;
          b.pump();
          first = peer.reply();
          ack = (first.seq + 1) | 0;
          peer.send({ flags: F.SYN | F.ACK, seq: PEER_ISS, ack, window: 50, options });
        } else {
          peer.listen();
          peer.send({ flags: F.SYN, seq: PEER_ISS, window: 50, options });
          first = peer.reply();
          ack = (first.seq + 1) | 0;
          peer.send({ flags: F.ACK, seq: (PEER_ISS + 1) | 0, ack, window: 50 });
        }
        const name = `${isActive ? 'active' : 'passive'}, ${isOffered ? 'offered' : 'not offered'}`;
        assert.equal(first.window, 65_535, 'the window of a SYN is never scaled');
        assert.equal(hasOption(first.options, 3), isActive || isOffered, name);
        const { flow } = peer;
        assert.deepEqual([flow!.sendShift, flow!.receiveShift], isOffered ? [7, 7] : [0, 0], name);
        // The window in a SYN is bytes; the one in any other segment is scaled.
        assert.equal(flow!.sndWnd, isActive || !isOffered ? 50 : 50 << 7, name);
        peer.replies();
        peer.send({ flags: F.ACK, seq: (PEER_ISS + 1) | 0, ack, window: 50, data: Uint8Array.of(1) });
        const shown = peer.replies().at(-1)!.window << flow!.receiveShift;
        assert.equal(
          shown,
          Math.min(flow!.window.window(flow!.rcvNxt), isOffered ? 2 ** 30 : 65_535) & -(1 << flow!.receiveShift),
          name,
        );
      }
  });

  it('shows a window at and around 65,535 as it is, and never more than the buffer has (row 78)', () => {
    for (const bufferBytes of [65_534, 65_535, 65_536])
      for (const shift of [0, 1, 7, 14]) {
        const window = new ReceiveWindow(bufferBytes);
        window.start(PEER_ISS, 0);
        window.advance(PEER_ISS, 0, 1_380, shift, 1e9);
        const bytes = window.window(PEER_ISS);
        assert.ok(
          bytes <= bufferBytes && bytes > bufferBytes - (1 << shift) - 1,
          `${bufferBytes} >> ${shift}: ${bytes}`,
        );
        assert.equal(bytes % (1 << shift), 0, 'the field holds it without a rest');
      }
  });
});

function hasOption(options: Uint8Array, kind: number): boolean {
  for (let at = 0; at < options.length; at += options[at] === 1 ? 1 : options[at + 1]!)
    if (options[at] === kind) return true;
  return false;
}

describe('the end of what a program wrote', () => {
  it('has PSH on its last segment, also when that is sent again (row 80)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    peer.write(new Uint8Array(4_000));
    const sent = peer.replies();
    assert.deepEqual(
      sent.map((reply) => (reply.flags & F.PSH) !== 0),
      sent.map((_, i) => i === sent.length - 1),
    );
    peer.send({ flags: F.ACK, seq, ack: (ack + 2_760) | 0 });
    peer.advance(2_000);
    const again = peer.replies().filter(isData);
    assert.ok(again.length > 0 && again.every((reply) => (reply.flags & F.PSH) !== 0));
  });

  it('is the FIN of a peer: data behind it is not taken (row 80)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    peer.send({ flags: F.FIN | F.ACK, seq, ack, data: Uint8Array.of(1, 2) });
    for (const offset of [2, 3, 4])
      peer.send({ flags: F.ACK, seq: (seq + offset) | 0, ack, data: Uint8Array.of(9, 9) });
    assert.deepEqual(peer.read(), Uint8Array.of(1, 2));
    assert.equal(peer.flow!.rcvNxt, (seq + 3) | 0);

    const early = new RawPeer();
    const at = early.open();
    // The FIN comes first; what lies behind it, and was sent all the same, stays out.
    early.send({ flags: F.FIN | F.ACK, seq: (at.seq + 2) | 0, ack: at.ack });
    early.send({ flags: F.ACK, seq: (at.seq + 2) | 0, ack: at.ack, data: Uint8Array.of(8, 8, 8) });
    early.send({ flags: F.ACK, seq: at.seq, ack: at.ack, data: Uint8Array.of(1, 2) });
    assert.deepEqual(early.read(), Uint8Array.of(1, 2));
    assert.equal(TCP_STATE_NAMES[early.flow!.state], 'CloseWait');
  });
});

describe('a link that is down for a while', () => {
  it('is tried again and again: data arrives soon after it is up (row 80)', () => {
    const pair = new StackPair(1, { delayMs: 5 });
    let server: Transfer | undefined;
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      server = new Transfer(pair.b, flow, new Uint8Array(0));
      server.take();
    };
    const flow = pair.a.connect(80);
    pair.advance(100);
    pair.a.conditions = { filter: () => false };
    const client = new Transfer(pair.a, flow, pair.random.bytes(50_000));
    client.write();
    pair.a.pump();
    pair.advance(60_000);
    pair.a.conditions = { delayMs: 5 };

    assert.ok(pair.advanceUntil(() => server!.isFinished, 64_000 + HOUR_MS / 60));
    assert.ok(Buffer.compare(server!.bytes, client.data) === 0);
  });

  it('counts as no try while the output takes nothing at all (row 80)', () => {
    const pair = new StackPair(1);
    const { stack } = pair.a;
    const clock = { nowMs: () => pair.events.nowMs, suspensions: 0, callAt: () => ({ cancel() {} }), callSoon() {} };
    const tun = new NetstackTun('rows', stack, clock);
    const flow = stack.tcp.connect(pair.a.address, pair.b.address, 80, pair.events.nowMs)!;
    tun.setReading(false);
    const batch = new PacketBatch(4, 8_192);
    for (let minute = 0; minute < 30; minute++) {
      assert.equal(tun.read(batch), 0);
      pair.advance(60_000);
      stack.runDue(pair.events.nowMs);
    }
    assert.equal(flow.state, TcpState.SynSent, 'a SYN that never left is not given up');
    tun.setReading(true);
    assert.equal(tun.read(batch), 1);
  });
});

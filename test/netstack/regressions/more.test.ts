import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { NetstackTun } from '../../../src/host/netstack-tun.js';
import { addressWords } from '../../../src/netstack/address.js';
import { ReceiveWindow } from '../../../src/netstack/tcp/receive-window.js';
import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';
import { TCP_STATE_NAMES, TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { F, PEER_ISS, parseSegment, RawPeer, type Reply } from '../raw-peer.js';
import { StackPair, Transfer } from '../stack-pair.js';
import { echoRequest, ICMP, ipPacket, PEER4, RawStack, readTcp, STACK4, tcpPacket, udpPacket } from './raw-stack.js';

const MSS_1380 = [2, 4, 0x05, 0x64];
const SCALE_7 = [1, 3, 3, 7];
const SACK_OK = [4, 2];
const HOUR_MS = 3_600_000;

function isData(reply: Reply): boolean {
  return reply.data.length > 0;
}

describe('port 0', () => {
  it('is nobody in TCP and UDP: such a packet is counted and not answered (row 68)', () => {
    const stack = new RawStack({ acceptsAny: true });
    stack.stack.udp.onDatagram = () => assert.fail('nobody is asked about it');
    stack.stack.tcp.handshakes.onSyn = () => assert.fail('nobody is asked about it');
    for (const [sport, dport] of [
      [0, 80],
      [80, 0],
      [0, 0],
    ] as const) {
      stack.deliver(tcpPacket({ flags: F.SYN, seq: 1, sport, dport }), udpPacket(sport, dport, [1]));
      stack.deliver(tcpPacket({ flags: F.ACK, seq: 1, ack: 1, sport, dport }));
    }
    assert.deepEqual(stack.take(), []);
    assert.deepEqual([stack.stack.tcp.malformed, stack.stack.udp.malformed], [6, 3]);
  });

  it('and other fields at their limits in what an ICMP error quotes match no connection (row 68)', () => {
    const stack = new RawStack();
    const flow = stack.stack.tcp.connect(words(STACK4), words(PEER4), 80, stack.nowMs)!;
    stack.take();
    for (const fill of [0, 1, 0x7f, 0x80, 0xff])
      for (const type of [3, 4, 5, 11, 12, 255])
        for (const code of [0, 1, 2, 3, 4, 15, 255]) {
          const quoted = new Uint8Array(28).fill(fill);
          quoted.set([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, ...STACK4, ...PEER4]);
          stack.deliver(ipPacket(ICMP, Uint8Array.of(type, code, fill, fill, fill, fill, fill, fill, ...quoted)));
          quoted.fill(fill);
          stack.deliver(ipPacket(ICMP, Uint8Array.of(type, code, fill, fill, fill, fill, fill, fill, ...quoted)));
        }
    assert.deepEqual([flow.state, stack.take().length], [TcpState.SynSent, 0]);
  });

  it('is kept apart from the greatest port: 65,535 is one as any other (row 68)', () => {
    const stack = new RawStack();
    const listener = stack.stack.tcp.listen(undefined, 65_535)!;
    const endpoint = stack.stack.udp.bind(undefined, 65_535)!;
    stack.deliver(tcpPacket({ flags: F.SYN, seq: -1, ack: -1, window: 0xffff, sport: 65_535, dport: 65_535 }));
    const { seq } = readTcp(stack.take()[0]!);
    stack.deliver(tcpPacket({ flags: F.ACK, seq: 0, ack: seq + 1, sport: 65_535, dport: 65_535 }));
    stack.deliver(udpPacket(65_535, 65_535, [7]));
    assert.equal(listener.accept()?.remotePort, 65_535);
    assert.equal(endpoint.receive()?.fromPort, 65_535);
  });
});

function words(address: readonly number[]): Int32Array {
  return addressWords(Uint8Array.from(address));
}

describe('segments of one batch', () => {
  /** A stack with a listener and a connection that is half open. */
  function halfOpen() {
    const stack = new RawStack();
    const listener = stack.stack.tcp.listen(undefined, 80)!;
    stack.deliver(tcpPacket({ flags: F.SYN, seq: 100 }));
    const iss = readTcp(stack.take()[0]!).seq;
    return { stack, listener, iss };
  }

  it('count all of them: RST, or FIN, and a new SYN of the same two ends (row 69)', () => {
    const { stack, listener } = halfOpen();
    stack.deliver(tcpPacket({ flags: F.RST, seq: 101 }), tcpPacket({ flags: F.SYN, seq: 9_000 }));
    const [again, ...more] = stack.take().map(readTcp);
    assert.deepEqual([more, again!.flags, again!.ack], [[], F.SYN | F.ACK, 9_001]);
    assert.equal(listener.halfOpenCount, 1);

    const second = halfOpen();
    second.stack.deliver(
      tcpPacket({ flags: F.FIN | F.ACK, seq: 101, ack: second.iss + 1 }),
      tcpPacket({ flags: F.ACK, seq: 102, ack: second.iss + 1 }),
    );
    const flow = second.listener.accept()!;
    assert.equal(TCP_STATE_NAMES[flow.state], 'CloseWait');
    second.stack.stack.tcp.shutdown(flow);
    const fin = readTcp(second.stack.take().at(-1)!);
    second.stack.deliver(
      tcpPacket({ flags: F.ACK, seq: 102, ack: fin.seq + 1 }),
      tcpPacket({ flags: F.SYN, seq: 50_000 }),
    );
    assert.equal(readTcp(second.stack.take().at(-1)!).ack, 50_001);
  });

  it('with the same SYN twice are answered once, and with a newer SYN by its number (row 69)', () => {
    const { stack, listener } = halfOpen();
    stack.deliver(tcpPacket({ flags: F.SYN, seq: 100 }), tcpPacket({ flags: F.SYN, seq: 100 }));
    assert.deepEqual(
      stack.take().map((packet) => readTcp(packet).ack),
      [101],
    );
    stack.deliver(tcpPacket({ flags: F.SYN, seq: 100 }), tcpPacket({ flags: F.SYN, seq: 7_000 }));
    assert.deepEqual(
      stack.take().map((packet) => readTcp(packet).ack),
      [7_001],
    );
    // A SYN from outside of the window is an old one: the answer stays what it was (RFC 9293 §3.10.7.4).
    stack.deliver(tcpPacket({ flags: F.SYN, seq: 10 }));
    assert.equal(readTcp(stack.take()[0]!).ack, 7_001);
    assert.equal(listener.halfOpenCount, 1);
  });

  it('behind a FIN in FIN-WAIT-2 open the next connection of the same two ends (row 69)', () => {
    const { stack, listener, iss } = halfOpen();
    stack.deliver(tcpPacket({ flags: F.ACK, seq: 101, ack: iss + 1 }));
    const flow = listener.accept()!;
    stack.stack.tcp.shutdown(flow);
    stack.take();
    stack.deliver(
      tcpPacket({ flags: F.FIN | F.ACK, seq: 101, ack: iss + 2 }),
      tcpPacket({ flags: F.SYN, seq: 200_000 }),
    );
    assert.equal(flow.closedBy, 'closed');
    const synAcks = stack
      .take()
      .map(readTcp)
      .filter(({ flags }) => (flags & F.SYN) !== 0);
    assert.deepEqual(
      synAcks.map(({ ack }) => ack),
      [200_001],
    );
  });
});

describe('a client whose server speaks first', () => {
  it('sends the last ACK of the handshake at once, and gets the banner (row 70)', () => {
    const peer = new RawPeer();
    const { b } = peer.pair;
    const flow = b.stack.tcp.connect(b.address, b.peer.address, 25, b.nowMs, 80)!;
    peer.flow = flow;
    b.pump();
    const syn = peer.reply();
    const at = { sport: 25, ack: (syn.seq + 1) | 0 };
    peer.send({ flags: F.SYN | F.ACK, seq: PEER_ISS, ...at });
    const ack = peer.reply();
    assert.deepEqual([ack.flags, ack.ack, ack.atMs], [F.ACK, (PEER_ISS + 1) | 0, peer.nowMs]);

    peer.send({ flags: F.ACK, seq: (PEER_ISS + 1) | 0, ...at, data: Buffer.from('220 ready\r\n') });

    assert.equal(Buffer.from(peer.read()).toString(), '220 ready\r\n');
  });
});

describe('a batch that is full', () => {
  it('holds all that counts as sent: SND.NXT moves with the rows that were taken (row 71)', () => {
    for (const outputRows of [1, 2, 3]) {
      const stack = new RawStack({ outputRows });
      const listener = stack.stack.tcp.listen(undefined, 80)!;
      stack.deliver(tcpPacket({ flags: F.SYN, seq: 0, options: MSS_1380 }));
      const iss = readTcp(stack.take()[0]!).seq;
      stack.deliver(tcpPacket({ flags: F.ACK, seq: 1, ack: iss + 1 }));
      stack.take();
      const flow = listener.accept()!;
      stack.stack.tcp.write(flow, new SeededRandom(1).bytes(13_800), 0, 13_800);
      let next = (iss + 1) | 0;
      for (let batch = stack.takeBatch(); batch.length > 0; batch = stack.takeBatch()) {
        assert.ok(batch.length <= outputRows);
        for (const { seq, data } of batch.map(readTcp)) {
          assert.equal(seq, next);
          next = (next + data.length) | 0;
        }
        assert.equal(flow.sndNxt, next);
        assert.equal(flow.records.endOr(0), next);
        stack.nowMs += 5;
      }
      assert.equal((next - iss - 1) | 0, 13_800);
    }
  });

  it('stops no connection, however few rows the output takes at a time (row 71)', () => {
    const pair = new StackPair(1, { delayMs: 1 });
    const data = pair.random.bytes(300_000);
    const narrow = new PacketBatch(1, 4_096);
    const read = pair.a.stack.read.bind(pair.a.stack);
    let lost = 0;
    // Every row leaves by a batch of one, so that each turn begins in the middle of the last one.
    pair.a.stack.read = (batch, nowMs) => {
      const rows = read(narrow, nowMs);
      batch.clear();
      if (rows === 0) return 0;
      const bytes = narrow.bytes.subarray(narrow.offset[0], narrow.offset[0]! + narrow.length[0]!);
      const row = batch.appendRow(bytes.length);
      batch.bytes.set(bytes, batch.offset[row]);
      return 1;
    };
    pair.a.conditions = { delayMs: 1, filter: (_, number) => number % 97 !== 0 || lost++ < 0 };
    let server: Transfer | undefined;
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      server = new Transfer(pair.b, flow, new Uint8Array(0));
      server.take();
    };
    new Transfer(pair.a, pair.a.connect(80), data);
    assert.ok(pair.advanceUntil(() => server?.isFinished === true, 60_000));
    assert.ok(Buffer.compare(server!.bytes, data) === 0);
  });
});

describe('a window that a peer closed under memory pressure', () => {
  it('is found open by a probe, though no update told of it (row 72)', () => {
    for (const shrunk of [0, 1, 100, 1_379]) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open(MSS_1380, 10_000);
      peer.write(new Uint8Array(30_000));
      peer.replies();
      let acked = 1_380;
      let window = shrunk;
      const openedMs = peer.nowMs + 30_000;
      peer.send({ flags: F.ACK, seq, ack: (ack + acked) | 0, window });
      while (acked < 30_000 && peer.nowMs < openedMs + 120_000) {
        peer.advance(10);
        if (peer.nowMs >= openedMs) window = 10_000;
        // The peer speaks only when it is asked.
        for (const reply of peer.replies()) {
          const at = (reply.seq - ack) | 0;
          const end = at + reply.data.length;
          const isTaken = at <= acked && end > acked && end <= acked + window;
          if (isTaken) acked = end;
          peer.send({ flags: F.ACK, seq, ack: (ack + acked) | 0, window });
        }
      }
      assert.equal(acked, 30_000, `window ${shrunk}`);
    }
  });
});

describe('pings with the same identifier', () => {
  it('of two clients to one target are answered each to its own (row 73)', () => {
    const stack = new RawStack();
    for (const last of [1, 3]) stack.deliver(echoRequest(77, 1, [last], { source: [10, 0, 0, last] }));
    assert.deepEqual(
      stack.take().map(({ destination, payload }) => [destination, payload[5], payload[8]]),
      [
        ['10.0.0.1', 77, 1],
        ['10.0.0.3', 77, 3],
      ],
    );
  });
});

describe('many holes', () => {
  it('are all filled by the segment that comes first in order, however many there are (row 74)', () => {
    for (const holes of [10, 1_024, 3_000]) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open([...MSS_1380, ...SACK_OK]);
      for (let i = 0; i < holes; i++)
        peer.send({ flags: F.ACK, seq: (seq + 1 + 2 * i) | 0, ack, data: Uint8Array.of(1) });
      peer.replies();
      const kept = Math.min(holes, 1_024);
      assert.equal(peer.flow!.receiveQueue.ranges.count, kept);

      peer.send({ flags: F.ACK, seq, ack, data: Uint8Array.of(9) });
      assert.equal(peer.reply().ack, (seq + 2) | 0);
      peer.send({ flags: F.ACK, seq: (seq + 2) | 0, ack, data: new Uint8Array(1_300) });
      const rest = 2 * kept;
      for (let at = 1_302; at < rest; at += 1_300)
        peer.send({ flags: F.ACK, seq: (seq + at) | 0, ack, data: new Uint8Array(1_300) });
      assert.ok(((peer.flow!.rcvNxt - seq) | 0) >= rest);
      assert.equal(peer.flow!.receiveQueue.ranges.count, 0);
    }
  });
});

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

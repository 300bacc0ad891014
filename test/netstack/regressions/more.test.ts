import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { addressWords } from '../../../src/netstack/address.js';
import { TCP_STATE_NAMES, TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { F, PEER_ISS, RawPeer } from '../raw-peer.js';
import { StackPair, Transfer } from '../stack-pair.js';
import { echoRequest, ICMP, ipPacket, PEER4, RawStack, readTcp, STACK4, tcpPacket, udpPacket } from './raw-stack.js';

const MSS_1380 = [2, 4, 0x05, 0x64];
const SACK_OK = [4, 2];

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
    for (const [shrunk, kept] of [
      [0, 1_380],
      [1, 1_380],
      [100, 1_380],
      [1_379, 1_380],
      // All that was in flight arrived: only a probe can find the window open.
      [0, 9_660],
    ] as const) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open(MSS_1380, 10_000);
      peer.write(new Uint8Array(30_000));
      peer.replies();
      let acked: number = kept;
      let window: number = shrunk;
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
      assert.equal(acked, 30_000, `window ${shrunk} behind ${kept}`);
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
        peer.send({ flags: F.ACK, seq: (seq + 11 + 2 * i) | 0, ack, data: Uint8Array.of(1) });
      peer.replies();
      const kept = Math.min(holes, 1_024);
      assert.equal(peer.flow!.receiveQueue.ranges.count, kept);

      peer.send({ flags: F.ACK, seq, ack, data: Uint8Array.of(9) });
      assert.equal(peer.reply().ack, (seq + 1) | 0, 'it neither touches a range nor begins one');
      const rest = 10 + 2 * kept;
      for (let at = 1; at < rest; at += 1_300)
        peer.send({ flags: F.ACK, seq: (seq + at) | 0, ack, data: new Uint8Array(1_300) });
      assert.ok(((peer.flow!.rcvNxt - seq) | 0) >= rest);
      assert.equal(peer.flow!.receiveQueue.ranges.count, 0);
    }
  });
});

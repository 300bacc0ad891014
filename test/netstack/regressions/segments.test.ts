import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';
import { TCP_STATE_NAMES, TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { buildSegment, F, PEER_ISS, RawPeer, type Reply } from '../raw-peer.js';
import { StackPair, Transfer } from '../stack-pair.js';
import { ipPacket, RawStack, readTcp, TCP, tcpPacket } from './raw-stack.js';

const MSS_1380 = [2, 4, 0x05, 0x64];
const TIMESTAMPS = [8, 10, 0, 0, 0, 9, 0, 0, 0, 0];
const HOUR_MS = 3_600_000;

function isData(reply: Reply): boolean {
  return reply.data.length > 0;
}

describe('RST', () => {
  it('counts at exactly RCV.NXT, is challenged inside the window and dropped outside of it (row 9, RFC 5961 §3.2)', () => {
    const cases = [
      ['RCV.NXT - 1', -1, 'silence'],
      ['RCV.NXT', 0, 'reset'],
      ['RCV.NXT + 1', 1, 'challenge'],
      ['the edge - 1', 'edge - 1', 'challenge'],
      ['the edge', 'edge', 'silence'],
    ] as const;
    for (const [name, where, expected] of cases) {
      const peer = new RawPeer();
      const { seq } = peer.open();
      const window = peer.flow!.window.window(peer.flow!.rcvNxt);
      const offset = where === 'edge' ? window : where === 'edge - 1' ? window - 1 : where;

      peer.send({ flags: F.RST, seq: (seq + offset) | 0 });

      const replies = peer.replies();
      assert.equal(replies.length, expected === 'challenge' ? 1 : 0, name);
      if (expected === 'challenge') assert.deepEqual([replies[0]!.flags, replies[0]!.ack], [F.ACK, seq], name);
      assert.equal(TCP_STATE_NAMES[peer.flow!.state], expected === 'reset' ? 'Closed' : 'Established', name);
    }
  });

  it('and ACK never answer each other without end, however two stacks disagree (row 9)', () => {
    for (const [name, spoil] of [
      ['send and receive', (flow: TcpFlow) => shift(flow, 100_000_000, 100_000_000)],
      ['receive only', (flow: TcpFlow) => shift(flow, 0, -50_000)],
      ['a flow that one side has forgotten', undefined],
    ] as const) {
      const pair = new StackPair(3, { delayMs: 1 });
      let accepted: TcpFlow | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        accepted = flow;
      };
      const flow = pair.a.connect(80);
      pair.advance(100);
      if (spoil === undefined) {
        pair.b.conditions = { filter: () => false };
        pair.b.stack.tcp.abort(accepted!);
        pair.b.pump();
        pair.b.conditions = { delayMs: 1 };
      } else spoil(flow);
      const before = pair.a.packets + pair.b.packets;

      pair.a.stack.tcp.write(flow, new Uint8Array(100), 0, 100);
      pair.b.stack.tcp.write(accepted!, new Uint8Array(100), 0, 100);
      pair.a.pump();
      pair.b.pump();
      pair.advance(60_000);

      const exchanged = pair.a.packets + pair.b.packets - before;
      assert.ok(exchanged < 100, `${name}: ${exchanged} packets`);
    }
  });
});

/** Moves the sequence numbers of a flow, as if it were another connection of the same two ends. */
function shift(flow: TcpFlow, send: number, receive: number): void {
  flow.sndUna = (flow.sndUna + send) | 0;
  flow.sndNxt = (flow.sndNxt + send) | 0;
  flow.dataStart = (flow.dataStart + send) | 0;
  flow.rcvNxt = (flow.rcvNxt + receive) | 0;
  flow.window.edge = (flow.window.edge + receive) | 0;
}

describe('data that comes again', () => {
  it('is acknowledged each time, so that lost ACKs cost no more than the timeouts of their sender (row 11)', () => {
    const pair = new StackPair(5, { delayMs: 10 });
    const data = pair.random.bytes(200_000);
    let server: Transfer | undefined;
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      server = new Transfer(pair.b, flow, new Uint8Array(0));
      server.take();
      pair.b.conditions = { delayMs: 10, lossRate: 0.5 };
    };
    const startMs = pair.events.nowMs;
    new Transfer(pair.a, pair.a.connect(80), data);

    assert.ok(pair.advanceUntil(() => server?.isFinished === true, HOUR_MS));

    assert.ok(pair.events.nowMs - startMs < 5_000, `${pair.events.nowMs - startMs} ms`);
    assert.ok(Buffer.compare(server!.bytes, data) === 0);
  });
});

describe('a handshake', () => {
  it('comes about though SYN-ACK is lost, once or more often (row 12)', () => {
    for (const losses of [1, 2, 3]) {
      let lost = 0;
      const pair = new StackPair(losses, { delayMs: 10 });
      pair.b.conditions = {
        delayMs: 10,
        filter: (packet) => (packet[33]! & F.SYN) === 0 || lost++ >= 2 * losses,
      };
      pair.b.stack.tcp.listen(undefined, 80);
      const flow = pair.a.connect(80);
      assert.ok(
        pair.advanceUntil(() => flow.state === TcpState.Established, 10_000),
        `${losses}`,
      );
    }
  });

  it('that is never finished frees its place in the backlog: a full one is empty after 63 s (row 13)', () => {
    const stack = new RawStack();
    const listener = stack.stack.tcp.listen(undefined, 80)!;
    for (let i = 0; i < 3_000; i++) stack.deliver(tcpPacket({ flags: F.SYN, seq: i, sport: 1_000 + i }));
    assert.equal(listener.halfOpenCount, 2_048);
    assert.equal(stack.stack.tcp.handshakes.overflows, 3_000 - 2_048);
    stack.take();

    stack.advance(64_000);

    assert.deepEqual([listener.halfOpenCount, stack.stack.tcp.flowCount], [0, 0]);
    stack.deliver(tcpPacket({ flags: F.SYN, seq: 1, sport: 900 }));
    assert.equal(readTcp(stack.take()[0]!).flags, F.SYN | F.ACK);
  });

  it('is finished by an ACK without the timestamps that were agreed on (row 19)', () => {
    const peer = new RawPeer();
    peer.listen();
    peer.send({ flags: F.SYN, seq: PEER_ISS, options: [...MSS_1380, ...TIMESTAMPS] });
    const synAck = peer.reply();
    assert.ok(synAck.options.includes(8), 'timestamps are agreed on');

    const at = { seq: (PEER_ISS + 1) | 0, ack: (synAck.seq + 1) | 0 };
    peer.send({ flags: F.ACK, ...at });
    peer.send({ flags: F.ACK, ...at, data: Uint8Array.of(1, 2) });

    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Established');
    assert.deepEqual(peer.read(), Uint8Array.of(1, 2));
  });
});

describe('a window that shrinks', () => {
  it('and opens again lets all that fell out of it be sent at once, not one segment per timeout (row 15)', () => {
    for (const options of [MSS_1380, [...MSS_1380, 4, 2]]) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open(options);
      peer.write(new Uint8Array(13_800));
      const first = peer.replies().filter(isData);
      assert.equal(first.length, 10);
      // The peer keeps the first segment, closes its window, and drops the nine others.
      peer.send({ flags: F.ACK, seq, ack: (ack + 1_380) | 0, window: 0 });
      peer.advance(1_000);
      peer.replies();
      const openedMs = peer.nowMs;
      let acked = 1_380;
      let window = 65_000;
      while (acked < 13_800 && peer.nowMs - openedMs < 10_000) {
        peer.send({ flags: F.ACK, seq, ack: (ack + acked) | 0, window: window-- });
        peer.advance(20);
        for (const reply of peer.replies().filter(isData)) {
          const at = (reply.seq - ack) | 0;
          if (at <= acked) acked = Math.max(acked, at + reply.data.length);
        }
      }
      assert.equal(acked, 13_800);
      assert.ok(peer.nowMs - openedMs < 3_000, `${peer.nowMs - openedMs} ms`);
    }
  });
});

describe('bytes that are sent again', () => {
  it('are the same bytes at whatever boundaries they are cut, and wherever ACKs end in them (row 16)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    const data = new SeededRandom(16).bytes(13_800);
    peer.write(data);
    let acked = 0;
    for (let step = 0; acked < data.length; step++) {
      for (const reply of peer.replies().filter(isData)) {
        const at = (reply.seq - ack) | 0;
        assert.ok(at >= 0 && at + reply.data.length <= data.length);
        assert.deepEqual(reply.data, data.subarray(at, at + reply.data.length));
      }
      // Every ACK ends in the middle of a segment; the size of a segment changes all the time.
      peer.flow!.mss = [1_380, 500, 700, 333][step % 4]!;
      acked = Math.min(acked + 690, data.length);
      peer.send({ flags: F.ACK, seq, ack: (ack + acked) | 0 });
      peer.advance(1_500);
    }
    assert.equal(peer.flow!.records.count, 0);
    assert.equal(peer.flow!.sendQueue.length, 0);
  });
});

describe('segments that overlap', () => {
  it('and reach past the window leave the bytes of the stream, and nothing behind the edge (row 18)', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(seed);
      const peer = new RawPeer();
      const { seq, ack } = peer.open();
      const data = random.bytes(400_000);
      let read = 0;
      for (let step = 0; step < 400; step++) {
        const next = (peer.flow!.rcvNxt - seq) | 0;
        const edge = next + peer.flow!.window.window(peer.flow!.rcvNxt);
        const from = random.chance(0.3) ? next : Math.max(next - 2_000 + random.integer(edge - next + 4_000), 0);
        const part = data.subarray(from, Math.min(from + 1 + random.integer(1_400), data.length));
        peer.send({ flags: F.ACK, seq: (seq + from) | 0, ack, data: part });
        const { ranges } = peer.flow!.receiveQueue;
        const end = ranges.count > 0 ? ranges.end(ranges.count - 1) : (peer.flow!.rcvNxt - seq) | 0;
        assert.ok(end <= edge, 'nothing behind the edge is taken');
        if (random.chance(0.9)) continue;
        const bytes = peer.read();
        assert.deepEqual(bytes, data.subarray(read, read + bytes.length), `seed ${seed}`);
        read += bytes.length;
      }
      assert.ok(read > 0);
    }
  });
});

describe('connections with the same ports', () => {
  it('and other addresses are told apart: RST and windows of one do nothing to the other (row 20)', () => {
    const stack = new RawStack();
    const listener = stack.stack.tcp.listen(undefined, 80)!;
    const sources = [
      [10, 0, 0, 1],
      [10, 0, 0, 3],
    ];
    const flows = sources.map((source) => {
      stack.deliver(tcpPacket({ flags: F.SYN, seq: 100, options: MSS_1380 }, { source }));
      const synAck = readTcp(stack.take()[0]!);
      stack.deliver(tcpPacket({ flags: F.ACK, seq: 101, ack: synAck.seq + 1, window: 5_000 }, { source }));
      stack.take();
      return listener.accept()!;
    });

    stack.deliver(tcpPacket({ flags: F.ACK, seq: 101, ack: flows[0]!.sndNxt, window: 0 }, { source: sources[0]! }));
    stack.deliver(tcpPacket({ flags: F.RST, seq: 101 }, { source: sources[0]! }));

    assert.deepEqual([flows[0]!.state, flows[1]!.state], [TcpState.Closed, TcpState.Established]);
    assert.equal(flows[1]!.sndWnd, 5_000);
    // A third host that knows both ports has no connection: it is answered from its own segment.
    stack.deliver(tcpPacket({ flags: F.ACK, seq: 101, ack: 777 }, { source: [10, 0, 0, 4] }));
    const [reset] = stack.take();
    assert.deepEqual([reset!.destination, readTcp(reset!).flags, readTcp(reset!).seq], ['10.0.0.4', F.RST, 777]);
    assert.equal(flows[1]!.state, TcpState.Established);
  });
});

describe('a malformed segment', () => {
  const options = [...MSS_1380, 1, 3, 3, 7, 4, 2, ...TIMESTAMPS, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2];

  it('is survived at every truncation, with every header length and every urgent pointer (row 21)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    const whole = buildSegment({
      flags: F.ACK | F.URG,
      seq: (seq - 4) | 0,
      ack,
      options,
      data: Uint8Array.of(1, 2, 3, 4),
    });
    for (let length = 0; length <= whole.length; length++)
      for (const isLengthTrue of [true, false]) {
        const cut = whole.slice(0, length);
        if (isLengthTrue && length >= 4) new DataView(cut.buffer).setUint16(2, length);
        if (length > 0) peer.pair.b.deliver(cut);
      }
    for (let words = 0; words < 16; words++)
      for (const urgent of [0, 1, 4, 5, 0x7fff, 0xffff]) {
        const copy = whole.slice();
        copy[32] = words << 4;
        new DataView(copy.buffer).setUint16(38, urgent);
        peer.pair.b.deliver(copy);
      }

    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Established');
    // A shorter header makes options data: no byte is taken that did not stand in the segment.
    assert.ok(((peer.flow!.rcvNxt - seq) | 0) <= 40);
  });

  it('may give any length to any option: the list ends there, and the segment counts (row 21)', () => {
    for (const flags of [F.SYN, F.ACK])
      for (let kind = 0; kind < 256; kind++)
        for (const length of [0, 1, 2, 3, 4, 9, 10, 11, 18, 34, 39, 40, 41, 255]) {
          const peer = new RawPeer();
          if (flags === F.SYN) {
            peer.listen();
            peer.send({ flags, seq: PEER_ISS, options: [kind, length, 1, 1] });
            const synAck = peer.reply();
            assert.equal(synAck.flags, F.SYN | F.ACK, `option ${kind}, length ${length}`);
            // Only a window scale or SACK of the right length fits into these four bytes, and is answered by the same.
            const isTaken = (kind === 3 && length === 3) || (kind === 4 && length === 2);
            assert.equal(synAck.options.length > 4, isTaken, `option ${kind}, length ${length}`);
            continue;
          }
          if (length % 3 !== 0) continue;
          const { seq, ack } = peer.open();
          peer.send({ flags, seq, ack, options: [kind, length, 1, 1], data: Uint8Array.of(7) });
          assert.equal(peer.flow!.receiveQueue.unread, 1, `option ${kind}, length ${length}`);
        }
  });

  it('that is no segment at all is counted (row 21)', () => {
    const stack = new RawStack();
    for (const length of [0, 1, 19]) stack.deliver(ipPacket(TCP, new Uint8Array(length)));
    assert.equal(stack.stack.tcp.malformed, 3);
    assert.deepEqual(stack.take(), []);
  });
});

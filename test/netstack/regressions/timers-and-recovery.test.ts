import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Congestion } from '../../../src/netstack/tcp/congestion.js';
import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';
import { TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { buildSegment, F, PEER_ISS, parseSegment, RawPeer, type Reply } from '../raw-peer.js';
import { type LinkConditions, StackPair, Transfer } from '../stack-pair.js';
import { PEER4, PEER6, RawStack, readTcp, tcpPacket } from './raw-stack.js';

const MSS_1380 = [2, 4, 0x05, 0x64];
const SACK_OK = [4, 2];
const TIMESTAMPS = [8, 10, 0, 0, 0, 9, 0, 0, 0, 0];
const HOUR_MS = 3_600_000;

function isData(reply: Reply): boolean {
  return reply.data.length > 0;
}

/** One transfer from a to b, with the bytes of data that left counted. */
function send(seed: number, conditions: LinkConditions, bytes: number) {
  const pair = new StackPair(seed, conditions);
  const data = pair.random.bytes(bytes);
  let server: Transfer | undefined;
  let dataBytes = 0;
  pair.b.stack.tcp.listen(undefined, 80);
  pair.b.onAccept = (flow) => {
    server = new Transfer(pair.b, flow, new Uint8Array(0));
    server.take();
  };
  pair.a.conditions = {
    ...conditions,
    filter: (packet, number) => {
      dataBytes += parseSegment(packet).data.length;
      return conditions.filter?.(packet, number) ?? true;
    },
  };
  const startMs = pair.events.nowMs;
  const client = new Transfer(pair.a, pair.a.connect(80), data);
  const windows: number[] = [];
  const isDone = pair.advanceUntil(() => {
    windows.push(client.flow.congestion.windowBytes);
    return server?.isFinished === true;
  }, HOUR_MS);
  assert.ok(isDone && Buffer.compare(server!.bytes, data) === 0, `seed ${seed}`);
  return { ms: pair.events.nowMs - startMs, resentBytes: dataBytes - bytes, windows, flow: client.flow };
}

describe('the retransmission timer', () => {
  it('is not restarted by ACKs that acknowledge nothing new, though each has another window (row 23)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    peer.write(new Uint8Array(1_000));
    peer.replies();
    const startMs = peer.nowMs;
    let again: Reply | undefined;
    for (let i = 0; i < 60 && again === undefined; i++) {
      peer.send({ flags: F.ACK, seq, ack, window: 60_000 - i });
      peer.advance(50);
      again = peer.replies().find(isData);
    }
    assert.ok(again !== undefined && again.atMs - startMs <= 1_200);
  });

  it('goes on running for the rest when half of a burst is acknowledged (row 23)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    peer.write(new Uint8Array(13_800));
    peer.replies();
    peer.send({ flags: F.ACK, seq, ack: (ack + 6_900) | 0 });
    const startMs = peer.nowMs;

    peer.advance(1_500);

    const again = peer.replies().find(isData);
    assert.ok(again !== undefined && again.atMs - startMs <= 1_200);
    assert.equal(again.seq, (ack + 6_900) | 0);
  });

  it('never fires on a slow path on which ACKs keep coming (row 24)', () => {
    const pair = new StackPair(1, { delayMs: 450 });
    pair.b.stack.tcp.listen(undefined, 80);
    let dataBytes = 0;
    pair.a.conditions = {
      delayMs: 450,
      filter: (packet) => {
        dataBytes += parseSegment(packet).data.length;
        return true;
      },
    };
    const flow = pair.a.connect(80);
    pair.advance(2_000);
    flow.isNoDelay = true;
    for (let i = 0; i < 300; i++) {
      pair.a.stack.tcp.write(flow, new Uint8Array(100), 0, 100);
      pair.a.pump();
      pair.advance(100);
    }
    pair.advance(5_000);
    assert.equal(dataBytes, 30_000, 'every byte left once');
  });

  it('is SRTT + 4 RTTVAR again, with 200 ms at the least, after losses are over (row 25)', () => {
    const pair = new StackPair(1, { delayMs: 25 });
    pair.b.stack.tcp.listen(undefined, 80);
    const flow = pair.a.connect(80);
    pair.advance(500);
    flow.isNoDelay = true;
    const write = (): void => {
      pair.a.stack.tcp.write(flow, new Uint8Array(10), 0, 10);
      pair.a.pump();
    };
    for (let i = 0; i < 20; i++) {
      write();
      pair.advance(200);
    }
    pair.a.conditions = { filter: () => false };
    write();
    pair.advance(30_000);
    assert.ok(flow.retries >= 5, 'it backed off');
    pair.a.conditions = { delayMs: 25 };
    assert.ok(pair.advanceUntil(() => flow.records.count === 0, 60_000));
    for (let i = 0; i < 5; i++) {
      write();
      pair.advance(200);
    }

    let sentMs = 0;
    let againMs = 0;
    pair.a.conditions = {
      filter: (packet) => {
        if (parseSegment(packet).data.length > 0) {
          if (sentMs === 0) sentMs = pair.events.nowMs;
          else againMs ||= pair.events.nowMs;
        }
        return false;
      },
    };
    write();
    pair.advance(5_000);
    assert.ok(againMs - sentMs > 0 && againMs - sentMs <= 600, `${againMs - sentMs} ms`);
  });
});

describe('a path faster than the clock', () => {
  it('loses nothing in the eyes of the sender, at 0 and at 1 ms, and its window grows (row 27)', () => {
    for (const delayMs of [0, 1])
      for (let seed = 1; seed <= 3; seed++) {
        const { resentBytes, flow } = send(seed, { delayMs }, 2_000_000);
        assert.equal(resentBytes, 0, `${delayMs} ms`);
        assert.ok(flow.congestion.windowBytes >= 10 * 1_368);
      }
  });

  it('may reorder by what the clock cannot tell apart: that is no loss, and the window stays open (row 27)', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { resentBytes, windows } = send(seed, { delayMs: 0, jitterMs: 1 }, 2_000_000);
      assert.ok(resentBytes <= 10 * 1_368, `seed ${seed}: ${resentBytes} bytes again`);
      assert.ok(Math.min(...windows.slice(windows.length >> 1)) >= 10 * 1_368, `seed ${seed}`);
    }
  });

  it('is repaired fast though all segments of a burst have the same stamp (row 27)', () => {
    for (const delayMs of [0, 1])
      for (let seed = 1; seed <= 5; seed++) {
        const { ms, resentBytes } = send(seed, { delayMs, lossRate: 0.01 }, 500_000);
        assert.ok(ms < 5_000, `seed ${seed}, ${delayMs} ms: took ${ms} ms`);
        assert.ok(resentBytes < 100_000, `seed ${seed}: ${resentBytes} bytes again`);
      }
  });
});

describe('the congestion window', () => {
  it('stays a number within its bounds through an hour at 10 Gbit/s, with losses and without (row 29)', () => {
    for (const lossEveryMs of [Infinity, 600_000, 7_000]) {
      const congestion = new Congestion();
      congestion.start(1_368, 0);
      let acked = 0;
      for (let nowMs = 1; nowMs <= HOUR_MS; nowMs++) {
        acked = (acked + 1_250_000) | 0;
        congestion.acknowledged(
          {
            bytes: 1_250_000,
            flightBytes: 1_250_000,
            acknowledgment: acked,
            sndNxt: (acked + 1_250_000) | 0,
            rttMs: 1,
            smoothedRttMs: 1,
            isWindowLimited: true,
          },
          nowMs,
        );
        if (nowMs % lossEveryMs === 0) {
          congestion.enterRecovery(congestion.windowBytes);
          congestion.leaveRecovery();
        }
        const window = congestion.windowBytes;
        if (!(window >= 1_368 && window <= 2 ** 30)) assert.fail(`${window} bytes after ${nowMs} ms`);
      }
    }
  });
});

describe('a reader that stops and resumes', () => {
  it('gets everything soon after, whatever the sizes of segments, writes and reads (row 32)', () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = new SeededRandom(seed);
      const mtu = 576 + random.integer(1_000);
      const pair = new StackPair(seed, { delayMs: random.integer(30) }, { mtu });
      const data = random.bytes(600_000);
      let server: TcpFlow | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        server = flow;
      };
      new Transfer(pair.a, pair.a.connect(80), data);
      let read = 0;
      while (read < data.length) {
        pair.advance(random.chance(0.1) ? random.integer(20_000) : random.integer(100));
        if (server === undefined) continue;
        const into = new Uint8Array(1 + random.integer(100_000));
        for (let i = random.integer(8); i >= 0; i--) {
          const n = pair.b.stack.tcp.read(server, into, 0, into.length, pair.events.nowMs);
          assert.deepEqual(into.subarray(0, n), data.subarray(read, read + n), `seed ${seed}`);
          read += n;
        }
        pair.b.pump();
        if (server.receiveQueue.unread > 0 || read === data.length) continue;
        // All is read: more has to be on its way, without a probe that asks for it.
        pair.advance(150);
        assert.ok(server.receiveQueue.unread > 0, `seed ${seed}: nothing behind ${read} of ${data.length}`);
      }
    }
  });

  it('after a minute is found waiting: the sender has probed all the time, and was answered (row 34)', () => {
    const pair = new StackPair(1, { delayMs: 10 });
    const data = pair.random.bytes(1_000_000);
    let server: TcpFlow | undefined;
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      server = flow;
    };
    const client = new Transfer(pair.a, pair.a.connect(80), data);
    pair.advance(60_000);
    assert.ok(server!.receiveQueue.unread > 50_000);
    assert.equal(client.closedBy, undefined);

    const startMs = pair.events.nowMs;
    const transfer = new Transfer(pair.b, server!, new Uint8Array(0));
    transfer.take();
    pair.b.pump();

    assert.ok(pair.advanceUntil(() => transfer.isFinished, 10_000));
    assert.ok(pair.events.nowMs - startMs < 5_000);
    assert.ok(Buffer.compare(transfer.bytes, data) === 0);
  });
});

describe('a peer with a small window', () => {
  it('of any size from one byte to 64 KB gets data without waiting for what never comes (row 33)', () => {
    for (const window of [1, 2, 100, 535, 536, 1_379, 1_380, 1_381, 2_760, 4_096, 32_768, 65_535]) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open(MSS_1380, window);
      const total = Math.min(20 * window, 120_000);
      const data = new SeededRandom(window).bytes(total);
      peer.write(data);
      let acked = 0;
      const startMs = peer.nowMs;
      while (acked < total) {
        const replies = peer.replies().filter(isData);
        for (const reply of replies) {
          const at = (reply.seq - ack) | 0;
          assert.ok(at + reply.data.length <= acked + window, `window ${window}: sent past it`);
        }
        const ends = replies.map((reply) => ((reply.seq - ack) | 0) + reply.data.length);
        acked = Math.max(acked, ...ends);
        peer.send({ flags: F.ACK, seq, ack: (ack + acked) | 0, window });
        peer.advance(5);
        assert.ok(peer.nowMs - startMs < 2_000, `window ${window}: ${acked} of ${total}`);
      }
    }
  });
});

describe('the segment size', () => {
  it('that is announced is the MTU of now without headers, in SYN and SYN-ACK, for both families (row 37)', () => {
    for (const [mtu, mss4, mss6] of [
      [1_420, 1_380, 1_360],
      [1_280, 1_240, 1_220],
      [9_000, 8_960, 8_940],
    ] as const) {
      const stack = new RawStack();
      stack.stack.mtu = mtu;
      stack.stack.tcp.listen(undefined, 80);
      for (const [source, mss] of [
        [PEER4, mss4],
        [PEER6, mss6],
      ] as const) {
        stack.deliver(tcpPacket({ flags: F.SYN, seq: 1, options: [2, 4, 0x10, 0] }, { source }));
        const synAck = readTcp(stack.take()[0]!);
        assert.deepEqual(synAck.options.slice(0, 4), [2, 4, mss >> 8, mss & 255]);
        const own = stack.stack.addresses[source.length === 4 ? 0 : 1]!;
        stack.stack.tcp.connect(own, own, 81, stack.nowMs);
        const syn = readTcp(stack.take()[0]!);
        assert.deepEqual(syn.options.slice(0, 4), [2, 4, mss >> 8, mss & 255]);
      }
    }
  });

  it('follows an MTU that is lowered while data is queued: no packet is longer from then on (rows 36, 37)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    peer.write(new Uint8Array(60_000));
    assert.ok(peer.replies().some((reply) => reply.data.length === 1_380));

    peer.stack.mtu = 1_000;
    let acked = 0;
    for (let round = 0; round < 200 && acked < 60_000; round++) {
      // The segments from before the change are lost, and come again in smaller pieces.
      peer.advance(300);
      for (const reply of peer.replies()) {
        assert.ok(reply.data.length <= 960, `${reply.data.length} bytes`);
        const at = (reply.seq - ack) | 0;
        if (at <= acked) acked = Math.max(acked, at + reply.data.length);
      }
      peer.send({ flags: F.ACK, seq, ack: (ack + acked) | 0 });
    }
    assert.equal(acked, 60_000);
  });
});

describe('a long path', () => {
  it('of 200 ms is not held to 64 KB in a round trip, in either direction of the handshake (row 38)', () => {
    for (const isUp of [true, false]) {
      const pair = new StackPair(1, { delayMs: 100 });
      const data = pair.random.bytes(20_000_000);
      const [up, down] = isUp ? [data, new Uint8Array(0)] : [new Uint8Array(0), data];
      let server: Transfer | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        server = new Transfer(pair.b, flow, down);
        server.take();
      };
      const startMs = pair.events.nowMs;
      const client = new Transfer(pair.a, pair.a.connect(80), up);
      assert.ok(pair.advanceUntil(() => client.isFinished && server!.isFinished, HOUR_MS));
      // 64 KB in a round trip would take 61 s.
      assert.ok(pair.events.nowMs - startMs < 8_000, `${pair.events.nowMs - startMs} ms`);
    }
  });
});

describe('SACK of a hostile peer', () => {
  it('that reports single bytes cuts the flight into a bounded number of records (row 39)', () => {
    for (const mss of [1_380, 48]) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open([2, 4, mss >> 8, mss & 255, ...SACK_OK, 1, 1, 3, 3, 7], 65_535);
      peer.flow!.congestion.windowBytes = 1_000_000;
      peer.write(new Uint8Array(60_000));
      peer.replies();
      for (let at = 1; at + 8 < 60_000; at += 8) {
        const blocks = [0, 2, 4, 6].flatMap((offset) => {
          const left = (ack + at + offset) | 0;
          return [left, (left + 1) | 0].flatMap((n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
        });
        peer.pair.b.deliver(buildSegment({ flags: F.ACK, seq, ack, options: [5, 34, ...blocks] }));
      }
      assert.ok(peer.flow!.records.count < 8_000, `${peer.flow!.records.count} records`);
      assert.equal(peer.flow!.state, TcpState.Established);
    }
  });
});

describe('a segment of 48 bytes', () => {
  it('still carries data beside timestamps and three SACK blocks (row 79)', () => {
    for (const mss of [1, 12, 13, 48]) {
      const peer = new RawPeer();
      peer.listen();
      peer.send({ flags: F.SYN, seq: PEER_ISS, options: [2, 4, 0, mss, ...SACK_OK, ...TIMESTAMPS] });
      const synAck = peer.reply();
      const stamp = [8, 10, 0, 0, 0, 10, ...synAck.options.slice(8, 12)];
      const at = { seq: (PEER_ISS + 1) | 0, ack: (synAck.seq + 1) | 0 };
      peer.send({ flags: F.ACK, ...at, options: stamp });
      for (const hole of [100, 300, 500, 700])
        peer.send({ flags: F.ACK, seq: at.seq + hole, ack: at.ack, options: stamp, data: new Uint8Array(50) });
      peer.replies();

      peer.write(new SeededRandom(1).bytes(2_000));

      let acked = 0;
      for (let round = 0; round < 1_000 && acked < 2_000; round++) {
        for (const reply of peer.replies().filter(isData)) {
          assert.ok(reply.data.length + reply.options.length <= 48 + 12);
          acked = Math.max(acked, ((reply.seq - at.ack) | 0) + reply.data.length);
        }
        peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + acked) | 0, options: stamp });
        peer.advance(10);
      }
      assert.equal(acked, 2_000, `MSS ${mss}`);
    }
  });
});

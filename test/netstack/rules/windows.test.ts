import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ReceiveRoundTrip } from '../../../src/netstack/tcp/receive-round-trip.js';
import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';
import { F, RawPeer } from '../raw-peer.js';
import { StackPair, Transfer } from '../stack-pair.js';
import { dataOf, MSS_1380 } from './segments.js';

const SCALE_7 = [3, 3, 7];
const MSS = 1_380;

describe('our window', () => {
  it('takes all that any ACK ever promised, though the scaled field rounds down (RFC 7323 §2.4)', () => {
    const peer = new RawPeer();
    let { seq, ack } = peer.open([...MSS_1380, ...SCALE_7]);
    let edge = 0;
    const note = (): void => {
      for (const reply of peer.replies()) edge = Math.max(edge, (reply.ack + reply.window * 128 - seq) | 0);
    };
    for (let i = 0; i < 40; i++) {
      peer.send({ flags: F.ACK, seq, ack, data: new Uint8Array(1) });
      seq = (seq + 1) | 0;
      edge--;
      note();
      assert.ok(edge <= ((peer.flow!.window.edge - seq) | 0), 'the edge that counts is at or behind what was promised');
    }
    peer.send({ flags: F.ACK, seq: (seq + edge - 1) | 0, ack, data: new Uint8Array(1) });
    assert.equal(peer.flow!.receiveQueue.ranges.count, 1, 'the last byte of the greatest promise');
  });

  it('moves on by a full segment at least (silly windows, RFC 9293 §3.8.6.2.2)', () => {
    const peer = new RawPeer();
    let { seq, ack } = peer.open();
    while (peer.flow!.window.window(peer.flow!.rcvNxt) > 0) {
      const length = Math.min(MSS, peer.flow!.window.window(peer.flow!.rcvNxt));
      peer.send({ flags: F.ACK, seq, ack, data: new Uint8Array(length) });
      seq = (seq + length) | 0;
    }
    peer.advance(100);
    peer.replies();
    const into = new Uint8Array(500);
    for (let read = 0; read < 3 * MSS; read += 500) {
      peer.stack.tcp.read(peer.flow!, into, 0, 500, peer.nowMs);
      peer.pair.b.pump();
      for (const { window } of peer.replies()) assert.ok(window === 0 || window >= MSS, `${window}`);
      // A probe is answered with the same rule.
      peer.send({ flags: F.ACK, seq: (seq - 1) | 0, ack });
      for (const { window } of peer.replies()) assert.ok(window === 0 || window >= MSS, `${window}`);
      peer.advance(600);
    }
  });

  it('grows with what the program reads in a round trip, and not for a program that does not read', () => {
    for (const reads of [true, false]) {
      const pair = new StackPair(1, { delayMs: 100 });
      let server: TcpFlow | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        server = flow;
        // Reads all, writes nothing: the side that receives measures by itself.
        flow.maxSendBytes = 0;
        if (reads) new Transfer(pair.b, flow, new Uint8Array(1));
      };
      const data = new Uint8Array(1_000_000);
      pair.a.onEvent = (flow) => {
        while (pair.a.stack.tcp.write(flow, data, 0, data.length) === data.length);
      };
      pair.a.connect(80);
      // Eleven round trips: slow start fills 4 MB in the ninth.
      pair.advance(2_200);
      if (reads) assert.ok(server!.window.bufferBytes > 4_000_000, `${server!.window.bufferBytes}`);
      else assert.equal(server!.window.bufferBytes, 131_072);
    }
  });

  it('grows though no sample of our own was taken: by the stamps that data echoes, or by windows that were filled', () => {
    const byStamps = new ReceiveRoundTrip();
    byStamps.echoed(250);
    byStamps.echoed(180);
    byStamps.echoed(900);
    assert.equal(byStamps.ms, 180);
    const byWindows = new ReceiveRoundTrip();
    byWindows.arrived(0, 10_000, 1_000);
    byWindows.arrived(9_999, 20_000, 1_150);
    assert.equal(byWindows.ms, -1);
    byWindows.arrived(10_000, 20_000, 1_200);
    assert.equal(byWindows.ms, 200);
    for (const options of [MSS_1380, [...MSS_1380, ...SCALE_7]]) {
      const peer = new RawPeer();
      const at = peer.open(options);
      peer.flow!.rtt.startOver(1_000);
      let { seq } = at;
      for (let round = 0; round < 12; round++) {
        for (let i = 0; i < 60; i++) {
          peer.send({ flags: F.ACK, seq, ack: at.ack, data: new Uint8Array(MSS) });
          seq = (seq + MSS) | 0;
          peer.read();
        }
        peer.advance(50);
      }
      assert.ok(peer.flow!.window.bufferBytes > 131_072, `${peer.flow!.window.bufferBytes}`);
    }
  });
});

describe('the window of the peer', () => {
  it('is probed first after the timeout, then at doubling distances up to 120 s (RFC 9293 §3.8.6.1)', () => {
    const peer = new RawPeer();
    const at = peer.open(MSS_1380, 1_000);
    peer.write(new Uint8Array(5_000));
    peer.advance(100);
    peer.replies();
    const ack = (at.ack + 1_000) | 0;
    peer.send({ flags: F.ACK, seq: at.seq, ack, window: 0 });
    const rtoMs = peer.flow!.rtt.rtoMs;
    const startMs = peer.nowMs;
    const times: number[] = [];
    for (let second = 0; second < 900; second++) {
      peer.advance(1_000);
      for (const reply of peer.replies()) {
        times.push(reply.atMs - startMs);
        peer.send({ flags: F.ACK, seq: at.seq, ack, window: 0 });
      }
    }
    assert.equal(times[0], rtoMs);
    for (let i = 1; i < times.length; i++) assert.equal(times[i]! - times[i - 1]!, Math.min(rtoMs * 2 ** i, 120_000));
  });

  it('may be small for ever: half of the greatest one is enough to send (silly windows, RFC 9293 §3.8.6.2.1)', () => {
    const peer = new RawPeer();
    const at = peer.open(MSS_1380, 1_000);
    peer.write(new Uint8Array(10_000));
    assert.equal(dataOf(peer)[0]!.data.length, 1_000);
    let acked = 1_000;
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + acked) | 0, window: 499 });
    assert.equal(dataOf(peer).length, 0, 'less than half');
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + acked) | 0, window: 500 });
    assert.equal(dataOf(peer)[0]!.data.length, 500);
    acked += 500;
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + acked) | 0, window: 100 });
    peer.advance(2_000);
    assert.equal(dataOf(peer)[0]!.data.length, 100, 'the timer overrides the rule');
  });

  it('is an unsigned number of 32 bits: 65,535 × 2^14 (RFC 9293 §3.1, RFC 7323 §2.3)', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, 3, 3, 20]);
    peer.send({ flags: F.ACK, ...at, window: 65_535 });
    assert.equal(peer.flow!.sndWnd, 65_535 * 2 ** 14);
    assert.ok(peer.flow!.usableWindow > 0);
  });
});

describe('the send buffer', () => {
  it('holds twice the congestion window, 256 KiB at least and 4 MiB at most', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, ...SCALE_7]);
    const data = new Uint8Array(8_000_000);
    assert.equal(peer.write(data), 262_144);
    assert.equal(peer.write(data), 0);
    let acked = 0;
    for (let round = 0; round < 7; round++) {
      for (const reply of dataOf(peer)) acked += reply.data.length;
      peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + acked) | 0 });
      peer.write(data);
      peer.advance(30);
    }
    const { sendQueue, congestion } = peer.flow!;
    assert.ok(congestion.windowBytes > 300_000);
    assert.ok(Math.abs(sendQueue.length - 2 * congestion.windowBytes) < 2, `${sendQueue.length} bytes, window ${congestion.windowBytes}`);
    congestion.windowBytes = 50_000_000;
    peer.write(data);
    assert.equal(sendQueue.length, 4_194_304);
  });

  it('takes whole bytes, though the window of a recovery is no whole number (RFC 9937)', () => {
    const peer = new RawPeer();
    peer.open([...MSS_1380, ...SCALE_7]);
    peer.flow!.congestion.windowBytes = 200_000.3;
    assert.equal(peer.write(new Uint8Array(1_000_000)), 400_000);
  });
});

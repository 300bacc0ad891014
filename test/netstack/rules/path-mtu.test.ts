import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PathMtus } from '../../../src/netstack/ip/path-mtus.js';
import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';
import { F, RawPeer } from '../raw-peer.js';
import { StackPair, Transfer } from '../stack-pair.js';
import { tooBig } from './icmp-packets.js';
import { dataOf, MSS_1380, SACK_PERMITTED } from './segments.js';

const MINUTE_MS = 60_000;
const TUNNEL_MTU = 1_420;

/** Two stacks with a narrow hop between them, and a client that writes now and then. */
class NarrowPath {
  readonly pair: StackPair;
  readonly flow: TcpFlow;
  /** Packets of the client that the hop did not let through. */
  oversized: number[] = [];
  greatest = 0;
  mtu: number;

  constructor(mtu: number, reports: boolean, isIpv6 = false) {
    this.mtu = mtu;
    this.pair = new StackPair(3, { delayMs: 10 }, { isIpv6 });
    const { a, b, events } = this.pair;
    a.conditions = {
      delayMs: 10,
      filter: (packet) => {
        this.greatest = Math.max(this.greatest, packet.length);
        if (packet.length <= this.mtu) return true;
        this.oversized.push(packet.length);
        const error = tooBig(packet, this.mtu);
        if (reports) events.schedule(events.nowMs + 5, () => a.deliver(error));
        return false;
      },
    };
    b.stack.tcp.listen(undefined, 80);
    b.onAccept = (flow) => new Transfer(b, flow, new Uint8Array(1)).take();
    this.flow = this.connect();
  }

  connect(): TcpFlow {
    const flow = this.pair.a.connect(80);
    this.pair.advance(100);
    return flow;
  }

  write(bytes = 60_000, flow = this.flow): void {
    this.pair.a.stack.tcp.write(flow, new Uint8Array(bytes), 0, bytes);
    this.pair.a.pump();
  }

  /** Lets time pass, with something to send each ten seconds. */
  advance(ms: number): void {
    for (let done = 0; done < ms; done += 10_000) {
      this.write();
      this.pair.advance(10_000);
    }
  }
}

describe('the path MTU of a connection', () => {
  it('falls with a report at once, and costs neither window nor time (RFC 1191 §6, RFC 8201 §5.4)', () => {
    for (const isIpv6 of [false, true]) {
      const path = new NarrowPath(TUNNEL_MTU, true, isIpv6);
      path.advance(30_000);
      path.mtu = 1_300;
      const segments = path.flow.congestion.windowBytes / path.flow.mss;
      path.write();
      path.pair.advance(200);
      assert.equal(path.flow.pathMtu, 1_300);
      assert.equal(path.flow.records.count, 0, 'everything arrived');
      assert.equal(path.flow.congestion.slowStartThreshold, Infinity);
      assert.ok(path.flow.congestion.windowBytes / path.flow.mss > 0.95 * segments);
    }
  });

  it('rises again ten minutes after the report, by one segment that tries (RFC 1191 §6.3, RFC 8201 §4)', () => {
    for (const isIpv6 of [false, true]) {
      const path = new NarrowPath(1_300, true, isIpv6);
      path.advance(MINUTE_MS);
      assert.equal(path.flow.pathMtu, 1_300);
      path.mtu = TUNNEL_MTU;
      path.oversized = [];
      path.greatest = 0;
      path.advance(8 * MINUTE_MS);
      assert.equal(path.greatest, 1_300, 'nothing greater is tried before');
      path.advance(2 * MINUTE_MS);
      assert.equal(path.flow.pathMtu, TUNNEL_MTU);
      assert.equal(path.flow.pathSearch, undefined);
    }
  });

  it('stays where a report answers the segment that tries, without loss of window (RFC 4821 §7.4)', () => {
    const path = new NarrowPath(1_300, true);
    path.advance(MINUTE_MS);
    path.oversized = [];
    path.advance(25 * MINUTE_MS);
    assert.deepEqual([...new Set(path.oversized)], [TUNNEL_MTU]);
    assert.ok(path.oversized.length <= 2, `${path.oversized}`);
    assert.equal(path.flow.pathMtu, 1_300);
    assert.equal(path.flow.congestion.slowStartThreshold, Infinity);
  });

  it('rises to what a report states for the segment that tries (RFC 4821 §7.3)', () => {
    const path = new NarrowPath(1_300, true);
    path.advance(MINUTE_MS);
    path.mtu = 1_380;
    path.advance(11 * MINUTE_MS);
    assert.equal(path.flow.pathMtu, 1_380);
  });

  it('falls to segments of 1,024 bytes in a black hole, and is searched upward to 32 bytes (RFC 4821 §7.3, §7.7)', () => {
    for (const [isIpv6, first] of [
      [false, 1_064],
      [true, 1_280],
    ] as const) {
      const path = new NarrowPath(1_350, false, isIpv6);
      path.write(20_000);
      path.pair.advance(5_000);
      assert.equal(path.flow.pathMtu, first);
      const threshold = path.flow.congestion.slowStartThreshold;
      path.advance(MINUTE_MS);
      assert.ok(path.flow.pathMtu > 1_350 - 32 && path.flow.pathMtu <= 1_350, `${path.flow.pathMtu}`);
      assert.ok(path.flow.congestion.slowStartThreshold >= threshold, 'a lost probe is no congestion');
    }
  });

  it('falls to segments of 536 bytes when those of 1,024 vanish, too', () => {
    const path = new NarrowPath(600, false);
    path.write(20_000);
    path.pair.advance(30_000);
    assert.ok(path.flow.pathMtu >= 576 && path.flow.pathMtu <= 600, `${path.flow.pathMtu}`);
    assert.equal(path.flow.records.count, 0);
  });

  it('is known to the next connection to the same host, and forgotten after ten minutes (RFC 8201 §5.2, §5.3)', () => {
    const path = new NarrowPath(1_300, true);
    path.write();
    path.pair.advance(1_000);
    path.oversized = [];
    const next = path.connect();
    path.write(20_000, next);
    path.pair.advance(1_000);
    assert.deepEqual([next.pathMtu, path.oversized.length], [1_300, 0]);
    path.pair.advance(10 * MINUTE_MS);
    assert.equal(path.connect().pathMtu, TUNNEL_MTU);
  });

  it('is the smaller of the path and the tunnel, whose MTU may fall while connections are open (RFC 9293 §3.7.2)', () => {
    const path = new NarrowPath(TUNNEL_MTU, true);
    path.write();
    path.pair.advance(1_000);
    path.pair.a.stack.mtu = 1_200;
    path.greatest = 0;
    path.advance(10_000);
    assert.equal(path.greatest, 1_200);
  });

  it('is a common size when the router gives none (RFC 1191 §7), at least 552 and 1,280 (RFC 8201 §4)', () => {
    const peer = new RawPeer();
    peer.open();
    peer.write(new Uint8Array(60_000));
    const { sent } = peer.pair.b;
    const seen: number[] = [];
    for (let i = 0; i < 6; i++) {
      peer.pair.b.deliver(tooBig(sent.find((packet) => packet.length > 500)!, 0));
      seen.push(peer.flow!.pathMtu);
    }
    assert.deepEqual(seen, [1_400, 1_280, 1_006, 552, 552, 552]);
    const six = new NarrowPath(TUNNEL_MTU, true, true);
    six.mtu = 700;
    six.write(5_000);
    six.pair.advance(300);
    assert.equal(six.flow.pathMtu, 1_280);
  });

  it('makes all that was too big leave again at once, in segments of the new size (RFC 1191 §6.4)', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, ...SACK_PERMITTED]);
    peer.flow!.isNoDelay = true;
    for (let i = 0; i < 5; i++) peer.write(new Uint8Array(1_380));
    peer.write(new Uint8Array(100));
    peer.replies();
    peer.pair.b.deliver(tooBig(peer.pair.b.sent.find((packet) => packet.length > 1_000)!, 1_040));
    const again = dataOf(peer);
    assert.equal(
      again.reduce((sum, { data }) => sum + data.length, 0),
      5 * 1_380,
      'but not the small one',
    );
    assert.ok(again.every(({ data }) => data.length <= 1_000));
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 5 * 1_380 + 100) | 0 });
    assert.equal(peer.flow!.records.count, 0);
  });
});

describe('the path MTU of a destination', () => {
  const DESTINATION = Int32Array.of(0, 0, 0xffff, 0x0a000001);

  it('is a bounded table, never up by a report', () => {
    const mtus = new PathMtus(() => 1_420);
    mtus.refuse(DESTINATION, 1_300, 0);
    mtus.refuse(DESTINATION, 1_400, 0);
    assert.equal(mtus.mtuOf(DESTINATION), 1_300);
    for (let i = 0; i < 5_000; i++) mtus.refuse(Int32Array.of(0, 0, 0xffff, i), 1_300, i);
    assert.equal(mtus.count, 1_024);
    mtus.runDue(4_999 + 600_000);
    assert.deepEqual([mtus.count, mtus.nextDeadline()], [0, Infinity]);
  });

  it('has UDP cut its datagrams, for ten minutes (RFC 8201 §5.3, RFC 8085 §3.2)', () => {
    for (const isIpv6 of [false, true]) {
      const { a, b, events } = new StackPair(1, { delayMs: 1 }, { isIpv6 });
      const pair = { a, b };
      a.isRecording = true;
      const endpoint = a.stack.udp.bind(undefined, 4_000)!;
      pair.b.stack.udp.bind(undefined, 4_001);
      const send = (): number[] => {
        a.sent = [];
        a.stack.udp.send(a.address, 4_000, b.address, 4_001, new Uint8Array(1_350));
        a.pump();
        return a.sent.map((packet) => packet.length);
      };
      const whole = 1_350 + 8 + (isIpv6 ? 40 : 20);
      assert.deepEqual(send(), [whole]);
      a.deliver(tooBig(a.sent[0]!, 1_300));
      const parts = send();
      assert.ok(parts.length === 2 && Math.max(...parts) <= 1_300, `${parts}`);
      events.runUntil(events.nowMs + 10 * MINUTE_MS);
      assert.deepEqual(send(), [whole]);
      a.stack.udp.close(endpoint);
      a.deliver(tooBig(a.sent[0]!, 1_300));
      assert.deepEqual(send(), [whole], 'a report about a port that nobody holds counts for nothing');
    }
  });
});

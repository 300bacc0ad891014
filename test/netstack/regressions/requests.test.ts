import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { HalfOpen } from '../../../src/netstack/tcp/half-open.js';
import { F } from '../raw-peer.js';
import { type Packet, RawStack, readTcp, tcpPacket } from './raw-stack.js';

const CLIENT = [10, 0, 0, 1] as const;
const OTHER_CLIENT = [10, 0, 0, 9] as const;
const TARGET = [192, 0, 2, 7] as const;
const TARGET6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7] as const;
const CLIENT6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9] as const;
const MAX_REQUESTS = 2_048;

/** A stack that is asked about every SYN, and keeps the requests. */
class Gateway extends RawStack {
  readonly requests: HalfOpen[] = [];
  readonly handshakes = this.stack.tcp.handshakes;

  constructor() {
    super({ acceptsAny: true });
    this.handshakes.onSyn = (request) => this.requests.push(request);
  }

  /** Sends a segment of a client to the target. @returns What the stack answers at once. */
  segment(
    flags: number,
    seq: number,
    fields: { sport?: number; source?: readonly number[]; ack?: number } = {},
  ): Packet[] {
    const source = fields.source ?? CLIENT;
    const destination = source.length === 16 ? TARGET6 : TARGET;
    this.deliver(tcpPacket({ flags, seq, ...fields }, { source, destination }));
    return this.take();
  }
}

describe('a SYN that the program decides about', () => {
  it('is answered by nothing before the decision, then by SYN-ACK, RST or silence (row 48)', () => {
    for (const [source, decision] of [
      [CLIENT, 'accept'],
      [CLIENT, 'reset'],
      [CLIENT, 'silence'],
      [CLIENT6, 'accept'],
      [CLIENT6, 'reset'],
    ] as const) {
      const gateway = new Gateway();
      assert.deepEqual(gateway.segment(F.SYN, 100, { source }), []);
      assert.deepEqual(gateway.advance(30_000), []);
      const [request] = gateway.requests;

      if (decision === 'accept') gateway.handshakes.accept(request!, gateway.nowMs);
      else gateway.handshakes.refuse(request!, decision, gateway.nowMs);

      const answers = gateway.take().map(readTcp);
      if (decision === 'silence') assert.deepEqual(answers, []);
      else if (decision === 'accept') assert.deepEqual([answers[0]!.flags, answers[0]!.ack], [F.SYN | F.ACK, 101]);
      // The answer of a closed port, so that a scan sees the target and not the gateway (RFC 9293 §3.10.7.1).
      else assert.deepEqual([answers[0]!.flags, answers[0]!.seq, answers[0]!.ack], [F.RST | F.ACK, 0, 101]);
      assert.equal(gateway.stack.tcp.flowCount, decision === 'accept' ? 1 : 0);
    }
  });

  it('that comes again meanwhile asks no second time, and a decision counts once (row 48)', () => {
    const gateway = new Gateway();
    for (let i = 0; i < 5; i++) assert.deepEqual(gateway.segment(F.SYN, 100), []);
    assert.equal(gateway.requests.length, 1);
    const [request] = gateway.requests;
    gateway.handshakes.accept(request!, gateway.nowMs);
    gateway.handshakes.accept(request!, gateway.nowMs);
    assert.equal(gateway.take().length, 1);
    gateway.segment(F.RST, 101);
    gateway.handshakes.refuse(request!, 'reset', gateway.nowMs);
    gateway.handshakes.accept(request!, gateway.nowMs);
    assert.deepEqual([gateway.take().length, gateway.stack.tcp.flowCount], [0, 0], 'it is over');
  });

  it('to targets that never answer fills the share of its client, and holds up no other (row 49)', () => {
    const gateway = new Gateway();
    for (let i = 0; i < 10_000; i++) gateway.segment(F.SYN, i, { sport: 1_000 + i });
    const share = gateway.requests.length;
    assert.ok(share >= 256 && share < MAX_REQUESTS, `${share} requests`);
    assert.equal(gateway.handshakes.overflows, 10_000 - share);

    gateway.segment(F.SYN, 5, { source: OTHER_CLIENT });
    const request = gateway.requests.at(-1)!;
    assert.equal(gateway.requests.length, share + 1);
    gateway.handshakes.accept(request, gateway.nowMs);
    assert.equal(readTcp(gateway.take()[0]!).flags, F.SYN | F.ACK);

    gateway.advance(64_000);
    assert.equal(gateway.stack.tcp.flowCount, 0, 'nobody waits longer than a client retries');
    gateway.segment(F.SYN, 7);
    assert.equal(gateway.requests.length, share + 2);
  });

  it('gives its place back when the client resets, before the decision and after it, on any port (row 50)', () => {
    for (const isAccepted of [false, true])
      for (const isSamePort of [false, true]) {
        const gateway = new Gateway();
        for (let i = 0; i < 3_000; i++) {
          const sport = isSamePort ? 1_000 : 1_000 + i;
          gateway.segment(F.SYN, 100 + i, { sport });
          const request = gateway.requests.at(-1)!;
          if (isAccepted) {
            gateway.handshakes.accept(request, gateway.nowMs);
            assert.equal(gateway.take().length, 1);
          }
          gateway.segment(F.RST, 101 + i, { sport });
          assert.equal(request.isOver, true);
        }
        assert.deepEqual([gateway.requests.length, gateway.stack.tcp.flowCount], [3_000, 0]);
        assert.equal(gateway.handshakes.overflows, 0);
      }
  });

  it('gives its place back when the handshake is complete, refused or forgotten (row 50)', () => {
    for (const end of ['complete', 'reset', 'silence', 'forgotten'] as const) {
      const gateway = new Gateway();
      for (let i = 0; i < 1_200; i++) {
        gateway.segment(F.SYN, 100, { sport: 1_000 + i });
        const request = gateway.requests.at(-1)!;
        if (end === 'complete') {
          gateway.handshakes.accept(request, gateway.nowMs);
          const ack = (readTcp(gateway.take()[0]!).seq + 1) | 0;
          gateway.segment(F.ACK, 101, { sport: 1_000 + i, ack });
        } else if (end === 'forgotten') gateway.advance(64_000);
        else gateway.handshakes.refuse(request, end, gateway.nowMs);
        gateway.take();
      }
      assert.equal(gateway.requests.length, 1_200, end);
      assert.equal(gateway.stack.tcp.flowCount, end === 'complete' ? 1_200 : 0);
    }
  });
});

describe('a segment of a flow that nobody knows', () => {
  it('is answered by silence where it may belong to another host, and by RST where it cannot (row 51)', () => {
    for (const flags of [F.SYN | F.ACK, F.ACK, F.FIN | F.ACK, F.ACK | F.PSH, F.RST, F.RST | F.ACK]) {
      const gateway = new Gateway();
      assert.deepEqual(gateway.segment(flags, 1, { ack: 9 }), [], `flags ${flags}`);
      assert.equal(gateway.requests.length, 0);

      const host = new RawStack();
      host.deliver(tcpPacket({ flags, seq: 1, ack: 9 }));
      assert.equal(host.take().length, (flags & F.RST) === 0 ? 1 : 0, `flags ${flags}`);
    }
  });
});

describe('100,000 SYNs', () => {
  it('cost a bounded number of small records, and no buffer (row 55)', () => {
    for (const isGateway of [true, false]) {
      const stack = isGateway ? new Gateway() : new RawStack();
      if (!isGateway) stack.stack.tcp.listen(undefined, 80);
      const before = process.memoryUsage().rss;
      for (let i = 0; i < 100_000; i++) {
        const source = [10, 0, 1 + (i >> 14), 1 + ((i >> 6) & 127)];
        stack.deliver(tcpPacket({ flags: F.SYN, seq: i, sport: 1_024 + (i % 60_000) }, { source }));
        if (i % 64 === 0) stack.take();
      }
      assert.ok(stack.stack.tcp.flowCount <= MAX_REQUESTS);
      assert.equal(stack.stack.pool.usedBytes, 0);
      const grownBytes = process.memoryUsage().rss - before;
      assert.ok(grownBytes < 150e6, `${grownBytes} bytes`);
      assert.ok(stack.stack.tcp.handshakes.overflows > 90_000);
    }
  });

  it('over the limit are refused by RST and counted, never left without an answer (rows 55, 56)', () => {
    const gateway = new Gateway();
    for (let i = 0; gateway.handshakes.overflows === 0; i++) gateway.segment(F.SYN, i, { sport: 10_000 + i });
    const [answer] = gateway.segment(F.SYN, 70, { sport: 9_000 });
    const { flags, ack, dport } = readTcp(answer!);
    assert.deepEqual([flags, ack, dport], [F.RST | F.ACK, 71, 9_000]);
    assert.equal(gateway.handshakes.overflows, 2);
    gateway.handshakes.refuse(gateway.requests[0]!, 'silence', gateway.nowMs);
    assert.deepEqual(gateway.segment(F.SYN, 70, { sport: 9_000 }), [], 'a free place is used');
    assert.equal(gateway.requests.at(-1)!.remotePort, 9_000);
  });
});

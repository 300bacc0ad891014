import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';
import { TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { F } from '../raw-peer.js';
import { type StackNode, StackPair, Transfer } from '../stack-pair.js';
import { echoRequest, ICMP, ICMPV6, ipPacket, RawStack, readTcp, TCP, tcpPacket, udpPacket } from './raw-stack.js';

const CLIENT6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9] as const;

/** One way for a connection to end, as seen from its client. */
type Ending = (pair: StackPair, flow: TcpFlow, server: TcpFlow | undefined) => void;

describe('10,000 connections', () => {
  const data = new Uint8Array(2_000);
  const close = (node: StackNode, flow: TcpFlow): void => {
    node.stack.tcp.close(flow, node.nowMs);
    node.pump();
  };
  const write = (node: StackNode, flow: TcpFlow): void => {
    node.stack.tcp.write(flow, data, 0, data.length);
    node.pump();
  };
  const endings: Record<string, Ending> = {
    'the client closes': ({ a, b }, flow, server) => {
      close(a, flow);
      close(b, server!);
    },
    'the server closes first': (pair, flow, server) => {
      close(pair.b, server!);
      pair.advance(10);
      close(pair.a, flow);
    },
    'the client aborts': ({ a }, flow) => {
      a.stack.tcp.abort(flow);
      a.pump();
    },
    'the server aborts': ({ b }, _, server) => {
      b.stack.tcp.abort(server!);
      b.pump();
    },
    'half-closed, then data the other way': (pair, flow, server) => {
      pair.a.stack.tcp.shutdown(flow);
      pair.a.pump();
      pair.advance(10);
      write(pair.b, server!);
      pair.advance(10);
      pair.a.stack.tcp.read(flow, new Uint8Array(4_000), 0, 4_000, pair.a.nowMs);
      close(pair.b, server!);
      close(pair.a, flow);
    },
    'closed with bytes unread': (pair, flow, server) => {
      write(pair.a, flow);
      pair.advance(10);
      close(pair.b, server!);
      close(pair.a, flow);
    },
    'closed at the SYN': ({ a }, flow) => close(a, flow),
    'upload to a server that closes': (pair, flow, server) => {
      pair.a.stack.tcp.setKeepalive(flow, true, 5_000, pair.a.nowMs);
      close(pair.b, server!);
      pair.advance(10);
      for (let i = 0; i < 3; i++) write(pair.a, flow);
    },
  };

  it('leave no record, no memory and no deadline behind, in whatever way they end (rows 53, 54)', () => {
    for (const [name, end] of Object.entries(endings)) {
      const pair = new StackPair(1, { delayMs: 1 });
      let server: TcpFlow | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        server = flow;
      };
      for (let i = 0; i < 1_250; i++) {
        server = undefined;
        const flow = pair.a.connect(80);
        if (name !== 'closed at the SYN') pair.advance(5);
        end(pair, flow, server);
        pair.advance(10);
      }
      pair.advance(130_000);
      for (const { stack } of [pair.a, pair.b])
        assert.deepEqual([stack.tcp.flowCount, stack.pool.usedBytes, stack.nextDeadline()], [0, 0, Infinity], name);
    }
  });

  it('whose targets refuse, or whose answers never come, leave nothing either (row 53)', () => {
    for (const isSilent of [false, true]) {
      const pair = new StackPair(1, { delayMs: 1, ...(isSilent ? { filter: () => false } : {}) });
      const reasons = new Set<string | undefined>();
      pair.a.onEvent = (flow) => reasons.add(flow.closedBy);
      for (let i = 0; i < 1_000; i++) {
        pair.a.connect(81);
        pair.advance(5);
      }
      pair.advance(140_000);
      assert.deepEqual([...reasons], [isSilent ? 'timed-out' : 'refused']);
      assert.deepEqual([pair.a.stack.tcp.flowCount, pair.b.stack.tcp.flowCount], [0, 0]);
    }
  });
});

describe('an upload to a server that is gone', () => {
  it('gives its buffers back with the RST, though keepalive is on and the program holds the flow (row 54)', () => {
    const pair = new StackPair(1, { delayMs: 1 });
    let server: TcpFlow | undefined;
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      server = flow;
    };
    for (let i = 0; i < 200; i++) {
      const flow = pair.a.connect(80);
      pair.advance(5);
      pair.a.stack.tcp.setKeepalive(flow, true, 10_000, pair.a.nowMs);
      pair.a.stack.tcp.write(flow, new Uint8Array(500_000), 0, 500_000);
      pair.b.stack.tcp.abort(server!);
      pair.a.pump();
      pair.b.pump();
      pair.advance(100);
      assert.equal(flow.closedBy, 'reset');
      assert.equal(pair.a.stack.pool.usedBytes, 0);
    }
    assert.equal(pair.a.stack.nextDeadline(), Infinity);
  });
});

describe('a budget that is spent', () => {
  it('closes windows and takes no more from writers: nothing is dropped, nothing throws (row 56)', () => {
    const stack = new RawStack({ budgetBytes: 4 * 16_384 });
    const listener = stack.stack.tcp.listen(undefined, 80)!;
    const flows = Array.from({ length: 8 }, (_, i) => {
      const sport = 1_000 + i;
      stack.deliver(tcpPacket({ flags: F.SYN, seq: 0, sport, options: [2, 4, 5, 100] }));
      const synAck = readTcp(stack.take()[0]!);
      stack.deliver(tcpPacket({ flags: F.ACK, seq: 1, ack: synAck.seq + 1, sport }));
      stack.take();
      return listener.accept()!;
    });
    for (const flow of flows) {
      const taken = stack.stack.tcp.write(flow, new Uint8Array(30_000), 0, 30_000);
      assert.ok(taken <= 30_000);
    }
    assert.ok(stack.stack.pool.usedBytes <= 4 * 16_384);
    for (const [i, flow] of flows.entries())
      stack.deliver(
        tcpPacket({ flags: F.ACK, seq: 1, ack: flow.sndNxt, sport: 1_000 + i, data: new Uint8Array(1_000) }),
      );
    stack.take();
    assert.ok(flows.every(({ state }) => state === TcpState.Established));
    for (const flow of flows) stack.stack.tcp.abort(flow);
    assert.equal(stack.stack.pool.usedBytes, 0);
  });
});

describe('a peer that is gone', () => {
  it('takes all its connections with it: idle ones by keepalive, others by the limit of retransmissions (row 57)', () => {
    const pair = new StackPair(1, { delayMs: 1 });
    const reasons: (string | undefined)[] = [];
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      pair.b.stack.tcp.setKeepalive(flow, true, 7_200_000, pair.b.nowMs);
      flows.push(flow);
    };
    pair.b.onEvent = (flow) => {
      if (flow.closedBy !== undefined) reasons.push(flow.closedBy);
    };
    const flows: TcpFlow[] = [];
    for (let i = 0; i < 1_000; i++) pair.a.connect(80);
    pair.advance(1_000);
    assert.equal(flows.length, 1_000);

    pair.b.conditions = { filter: () => false };
    for (const [i, flow] of flows.entries()) {
      if (i % 4 === 1) pair.b.stack.tcp.write(flow, new Uint8Array(100), 0, 100);
      if (i % 4 === 2) pair.b.stack.tcp.shutdown(flow);
      if (i % 4 === 3) {
        flow.sndWnd = 0; // the peer had closed its window before
        pair.b.stack.tcp.write(flow, new Uint8Array(100), 0, 100);
      }
    }
    pair.b.pump();
    pair.advance(1_000_000);
    const withoutKeepalive = pair.b.stack.tcp.flowCount;
    assert.ok(withoutKeepalive <= 500, `${withoutKeepalive}`);
    pair.advance(7_200_000 + 10 * 75_000);

    assert.equal(pair.b.stack.tcp.flowCount, 0);
    assert.equal(pair.b.stack.pool.usedBytes, 0);
    assert.deepEqual([...new Set(reasons)], ['timed-out']);
  });
});

describe('a host in a program', () => {
  const foreign4 = [
    [127, 0, 0, 1],
    [169, 254, 169, 254],
    [192, 168, 1, 1],
    [10, 0, 0, 3],
    [8, 8, 8, 8],
    [224, 0, 0, 1],
    [255, 255, 255, 255],
    [0, 0, 0, 0],
  ];
  const foreign6 = [
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2],
    [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 169, 254, 169, 254],
    [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3],
  ];

  it('forwards nothing: what is for another address is counted, and neither carried on nor answered (row 58)', () => {
    const host = new RawStack();
    host.stack.tcp.listen(undefined, 80);
    const endpoint = host.stack.udp.bind(undefined, 53)!;
    let sent = 0;
    for (const destination of [...foreign4, ...foreign6]) {
      host.deliver(
        tcpPacket({ flags: F.SYN, seq: 1 }, { destination }),
        udpPacket(9, 53, [1], { destination }),
        echoRequest(1, 1, [1], { destination }),
        ipPacket(99, new Uint8Array(8), { destination }),
      );
      sent += 4;
      const name = destination.join('.');
      assert.deepEqual(host.take(), [], name);
      assert.equal(host.stack.counters.notForUs, sent, name);
    }
    assert.deepEqual([host.stack.tcp.flowCount, endpoint.receive()], [0, undefined]);
  });

  it('is not reached by a mapped address in IPv6 that spells one of its own (row 58)', () => {
    const host = new RawStack();
    host.stack.tcp.listen(undefined, 80);
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2];
    for (const source of [CLIENT6, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1]])
      host.deliver(tcpPacket({ flags: F.SYN, seq: 1 }, { source, destination: mapped }));
    assert.deepEqual([host.take().length, host.stack.counters.notForUs], [0, 2]);
  });
});

describe('what nobody takes', () => {
  it('is refused for each protocol by itself, also where a gateway takes another (row 60)', () => {
    for (const acceptsAny of [false, true]) {
      const stack = new RawStack({ acceptsAny });
      if (acceptsAny) stack.stack.udp.onDatagram = () => false;
      stack.deliver(udpPacket(9, 7, [1]));
      stack.deliver(udpPacket(9, 7, [1], { source: CLIENT6 }));
      stack.deliver(ipPacket(99, new Uint8Array(8)));
      stack.deliver(tcpPacket({ flags: F.SYN, seq: 1 }));
      stack.deliver(tcpPacket({ flags: F.SYN, seq: 1 }, { source: CLIENT6 }));
      assert.deepEqual(
        stack.take().map(({ protocol, payload }) => [protocol, protocol === TCP ? payload[13] : payload[1]]),
        [
          [ICMP, 3],
          [ICMPV6, 4],
          [ICMP, 2],
          [TCP, F.RST | F.ACK],
          [TCP, F.RST | F.ACK],
        ],
      );
    }
  });
});

describe('a host with many addresses', () => {
  it('serves all of them, each by itself and all at once, and answers from the one that was asked (row 65)', () => {
    const addresses = [
      ...Array.from({ length: 30 }, (_, i) => [10, 1, 0, 1 + i]),
      ...Array.from({ length: 30 }, (_, i) => [0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 + i]),
    ];
    const host = new RawStack({ addresses });
    const own = host.stack.addresses.map((address) => host.stack.tcp.listen(address, 81)!);
    const every = host.stack.tcp.listen(undefined, 80)!;
    for (const [i, destination] of addresses.entries())
      for (const dport of [80, 81]) {
        host.deliver(tcpPacket({ flags: F.SYN, seq: 1, dport }, { destination }));
        const [synAck, ...more] = host.take();
        assert.deepEqual(more, []);
        assert.equal(synAck!.source, destination.join('.'));
        host.deliver(tcpPacket({ flags: F.ACK, seq: 2, ack: readTcp(synAck!).seq + 1, dport }, { destination }));
        const flow = (dport === 81 ? own[i]! : every).accept();
        assert.ok(flow !== undefined && flow.state === TcpState.Established, `${destination} ${dport}`);
        host.deliver(echoRequest(1, 1, [1], { destination }));
        assert.equal(host.take().at(-1)!.source, destination.join('.'));
      }
    assert.equal(host.stack.counters.notForUs, 0);
  });
});

describe('a connection that is half closed', () => {
  it('carries data the other way for as long as the program holds it, from either side (row 52)', () => {
    for (const first of ['client', 'server'] as const) {
      const pair = new StackPair(1, { delayMs: 5 });
      let accepted: TcpFlow | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        accepted = flow;
      };
      const flow = pair.a.connect(80);
      pair.advance(100);
      const [closer, other] = first === 'client' ? [pair.a, pair.b] : [pair.b, pair.a];
      const [closed, open] = first === 'client' ? [flow, accepted!] : [accepted!, flow];
      closer.stack.tcp.shutdown(closed);
      closer.pump();
      pair.advance(600_000);

      const data = pair.random.bytes(300_000);
      const reader = new Transfer(closer, closed, new Uint8Array(0));
      const writer = new Transfer(other, open, data);
      writer.write();
      other.pump();

      assert.ok(
        pair.advanceUntil(() => reader.isFinished, 60_000),
        first,
      );
      assert.ok(Buffer.compare(reader.bytes, data) === 0, first);
      assert.equal(reader.closedBy, 'closed');
    }
  });
});

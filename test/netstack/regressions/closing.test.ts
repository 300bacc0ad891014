import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';
import { TCP_STATE_NAMES, TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { F, PEER_ISS, RawPeer } from '../raw-peer.js';
import { StackPair, Transfer } from '../stack-pair.js';

const HOUR_MS = 3_600_000;

function stateOf(peer: RawPeer): string {
  return TCP_STATE_NAMES[peer.flow!.state]!;
}

/** Counts RST among the packets of a link, both ways. */
function countResets(pair: StackPair): () => number {
  let resets = 0;
  for (const node of [pair.a, pair.b]) {
    const { conditions } = node;
    const { filter } = conditions;
    node.conditions = {
      ...conditions,
      filter: (packet, number) => {
        if ((packet[33]! & F.RST) !== 0) resets++;
        return filter?.(packet, number) ?? true;
      },
    };
  }
  return () => resets;
}

describe('closing with data that waits', () => {
  it('is not finished by an ACK of all that was sent while FIN has not left (row 1)', () => {
    for (const isPeerDone of [false, true]) {
      const peer = new RawPeer();
      let { seq, ack } = peer.open([2, 4, 5, 0x64], 1_000);
      if (isPeerDone) {
        peer.send({ flags: F.FIN | F.ACK, seq, ack, window: 1_000 });
        seq++;
      }
      peer.write(new Uint8Array(3_000));
      peer.shutdown();
      ack = (ack + 1_000) | 0;

      peer.send({ flags: F.ACK, seq, ack, window: 0 });

      assert.equal(stateOf(peer), isPeerDone ? 'LastAck' : 'FinWait1');
      assert.equal(peer.stack.tcp.flowCount, 1);
      peer.replies();
      peer.send({ flags: F.ACK, seq, ack, window: 60_000 });
      const rest = peer.replies();
      assert.equal(
        rest.reduce((sum, reply) => sum + reply.data.length, 0),
        2_000,
      );
      assert.equal(rest.at(-1)!.flags & F.FIN, F.FIN);
      peer.send({ flags: F.ACK, seq, ack: (ack + 2_001) | 0 });
      assert.equal(stateOf(peer), isPeerDone ? 'Closed' : 'FinWait2');
    }
  });

  it('delivers everything that was written before, through loss, though the program has let go (row 2)', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const pair = new StackPair(seed, { delayMs: 10, lossRate: 0.05 });
      const data = pair.random.bytes(1_000_000);
      let server: Transfer | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        server = new Transfer(pair.b, flow, new Uint8Array(0));
        server.take();
      };
      const flow = pair.a.connect(80);
      assert.ok(pair.advanceUntil(() => flow.state === TcpState.Established, HOUR_MS));

      let written = 0;
      const write = (): void => {
        written += pair.a.stack.tcp.write(flow, data, written, data.length - written);
        if (written === data.length) pair.a.stack.tcp.close(flow, pair.events.nowMs);
        pair.a.pump();
      };
      pair.a.onEvent = (source) => {
        source.events = 0;
        if (written < data.length) write();
      };
      write();

      assert.ok(
        pair.advanceUntil(() => server?.isFinished === true, HOUR_MS),
        `seed ${seed}`,
      );
      assert.ok(Buffer.compare(server!.bytes, data) === 0, `seed ${seed}`);
    }
  });

  it('loses neither data nor FIN when both sides close at once (row 3)', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const pair = new StackPair(seed, { delayMs: 20 });
      const up = pair.random.bytes(120_000);
      const down = pair.random.bytes(90_000);
      let accepted: TcpFlow | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        accepted = flow;
      };
      const flow = pair.a.connect(80);
      assert.ok(pair.advanceUntil(() => accepted !== undefined, 1_000));
      const client = new Transfer(pair.a, flow, up);
      const server = new Transfer(pair.b, accepted!, down);
      pair.a.conditions = { delayMs: 20, lossRate: 0.1 };
      pair.b.conditions = { delayMs: 20, lossRate: 0.1 };

      client.write();
      server.write();
      pair.a.pump();
      pair.b.pump();
      assert.deepEqual([client.flow.state, server.flow.state], [TcpState.FinWait1, TcpState.FinWait1]);

      const isDone = pair.advanceUntil(() => client.closedBy !== undefined && server.closedBy !== undefined, HOUR_MS);
      assert.ok(isDone, `seed ${seed}`);
      assert.deepEqual([client.closedBy, server.closedBy], ['closed', 'closed']);
      assert.ok(Buffer.compare(server.bytes, up) === 0 && Buffer.compare(client.bytes, down) === 0, `seed ${seed}`);
    }
  });
});

describe('FIN', () => {
  it('is sent again as often as it is lost, and ends both sides in the ordinary way (row 4)', () => {
    for (const losses of [1, 2, 3, 5, 7])
      for (const side of ['a', 'b', 'both'] as const) {
        let lostA = 0;
        let lostB = 0;
        const isFin = (packet: Uint8Array): boolean => (packet[33]! & F.FIN) !== 0;
        const pair = new StackPair(losses, { delayMs: 10 });
        pair.a.conditions = { delayMs: 10, filter: (packet) => side === 'b' || !isFin(packet) || lostA++ >= losses };
        pair.b.conditions = { delayMs: 10, filter: (packet) => side === 'a' || !isFin(packet) || lostB++ >= losses };
        pair.b.stack.tcp.listen(undefined, 80);
        let server: Transfer | undefined;
        pair.b.onAccept = (flow) => {
          server = new Transfer(pair.b, flow, new Uint8Array(10));
          server.take();
        };
        const client = new Transfer(pair.a, pair.a.connect(80), new Uint8Array(10));

        const isDone = pair.advanceUntil(
          () => client.closedBy !== undefined && server?.closedBy !== undefined,
          HOUR_MS,
        );

        assert.ok(isDone && client.closedBy === 'closed' && server!.closedBy === 'closed', `${losses} ${side}`);
      }
  });

  it('of a peer that vanishes is not waited for longer than R2, in every state of closing (row 4)', () => {
    const cases: readonly (readonly [string, (peer: RawPeer, at: { seq: number; ack: number }) => void])[] = [
      ['FinWait1', (peer) => peer.shutdown()],
      [
        'Closing',
        (peer, { seq, ack }) => {
          peer.shutdown();
          peer.send({ flags: F.FIN | F.ACK, seq, ack });
        },
      ],
      [
        'LastAck',
        (peer, { seq, ack }) => {
          peer.send({ flags: F.FIN | F.ACK, seq, ack });
          peer.shutdown();
        },
      ],
      [
        'FinWait2',
        (peer, { seq, ack }) => {
          peer.stack.tcp.close(peer.flow!, peer.nowMs);
          peer.pair.b.pump();
          peer.send({ flags: F.ACK, seq, ack: (ack + 1) | 0 });
        },
      ],
      [
        'TimeWait',
        (peer, { seq, ack }) => {
          peer.shutdown();
          peer.send({ flags: F.FIN | F.ACK, seq, ack: (ack + 1) | 0 });
        },
      ],
    ];
    for (const [state, reach] of cases) {
      const peer = new RawPeer();
      const at = peer.open();
      reach(peer, at);
      assert.equal(stateOf(peer), state);

      peer.advance(1_000_000);

      assert.equal(peer.stack.tcp.flowCount, 0, state);
      assert.equal(peer.stack.nextDeadline(), Infinity, state);
    }
  });

  it('follows neither an abort nor a close of both sides with RST once both have said all (row 5, RFC 9293 §3.10.5)', () => {
    for (const [state, isReset] of [
      ['Established', true],
      ['Closing', false],
      ['TimeWait', false],
    ] as const) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open();
      if (state !== 'Established') {
        peer.shutdown();
        peer.send({ flags: F.FIN | F.ACK, seq, ack: state === 'Closing' ? ack : (ack + 1) | 0 });
      }
      assert.equal(stateOf(peer), state);
      peer.replies();

      peer.stack.tcp.abort(peer.flow!);
      peer.pair.b.pump();

      const resets = peer.replies().filter((reply) => (reply.flags & F.RST) !== 0);
      assert.equal(resets.length, isReset ? 1 : 0, state);
    }
  });
});

describe('unread bytes', () => {
  it('of a connection that is over are given back when the program lets go, by close or by abort (row 5)', () => {
    for (const way of ['close', 'abort'] as const) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open();
      peer.send({ flags: F.ACK, seq, ack, data: new Uint8Array(100) });
      peer.send({ flags: F.RST, seq: (seq + 100) | 0 });
      assert.equal(stateOf(peer), 'Closed');
      assert.ok(peer.stack.pool.usedBytes > 0, 'what arrived stays readable');

      if (way === 'close') peer.stack.tcp.close(peer.flow!, peer.nowMs);
      else peer.stack.tcp.abort(peer.flow!);

      assert.equal(peer.stack.pool.usedBytes, 0, way);
    }
  });
});

describe('TIME-WAIT', () => {
  it('runs no timer but its own: a keepalive, a probe or an ACK that was owed is gone (row 6)', () => {
    const peer = new RawPeer();
    let { seq, ack } = peer.open();
    for (let i = 0; i < 20; i++) {
      peer.send({ flags: F.ACK, seq, ack, data: Uint8Array.of(i) });
      seq = (seq + 1) | 0;
    }
    peer.stack.tcp.setKeepalive(peer.flow!, true, 5_000, peer.nowMs);
    peer.shutdown();
    peer.send({ flags: F.FIN | F.ACK, seq, ack: (ack + 1) | 0 });
    ack = (ack + 1) | 0;
    assert.equal(stateOf(peer), 'TimeWait');
    peer.replies();

    peer.read();
    peer.advance(59_999);
    assert.deepEqual(peer.replies(), []);
    peer.send({ flags: F.RST, seq: (seq + 1) | 0, ack });
    assert.equal(peer.stack.tcp.flowCount, 1, 'RST does not end it');
    peer.advance(1);

    assert.equal(peer.stack.tcp.flowCount, 0);
    assert.deepEqual(peer.replies(), []);
  });

  it('answers the last FIN of the peer as often as our last ACK is lost, and never with RST (row 7)', () => {
    for (const losses of [1, 2, 4]) {
      let lost = 0;
      const pair = new StackPair(losses, { delayMs: 10 });
      pair.b.stack.tcp.listen(undefined, 80);
      let server: Transfer | undefined;
      pair.b.onAccept = (flow) => {
        server = new Transfer(pair.b, flow, new Uint8Array(0));
        server.take();
      };
      const client = new Transfer(pair.a, pair.a.connect(80), new Uint8Array(0));
      pair.a.conditions = {
        delayMs: 10,
        filter: () => client.flow.state !== TcpState.TimeWait || lost++ >= losses,
      };
      const resets = countResets(pair);

      assert.ok(
        pair.advanceUntil(() => server?.closedBy !== undefined, 59_000),
        `${losses} losses`,
      );

      assert.deepEqual([server!.closedBy, resets()], ['closed', 0]);
      assert.ok(lost > losses);
    }
  });
});

describe('closing while the connection opens', () => {
  it('in SYN-SENT leaves nothing on either side, whenever the answer comes (row 8)', () => {
    for (const closeAfterMs of [0, 5, 10, 15, 19]) {
      const pair = new StackPair(1, { delayMs: 10 });
      const listener = pair.b.stack.tcp.listen(undefined, 80)!;
      const flow = pair.a.connect(80);
      pair.advance(closeAfterMs);

      pair.a.stack.tcp.close(flow, pair.events.nowMs);
      pair.a.pump();
      pair.advance(100);

      assert.equal(pair.a.stack.tcp.flowCount, 0);
      assert.equal(pair.b.stack.tcp.flowCount, 0, `closed after ${closeAfterMs} ms`);
      assert.equal(listener.halfOpenCount, 0);
    }
  });

  it('at the moment of the handshake, and in SYN-RECEIVED, sends FIN behind it (row 8)', () => {
    for (const how of ['shutdown in SYN-SENT', 'close when connected', 'close in SYN-RECEIVED'] as const) {
      const peer = new RawPeer();
      const { b } = peer.pair;
      const flow = b.stack.tcp.connect(b.address, b.peer.address, 5_000, b.nowMs, 80)!;
      peer.flow = flow;
      b.pump();
      const syn = peer.reply();
      if (how === 'close in SYN-RECEIVED') {
        peer.send({ flags: F.SYN, seq: PEER_ISS });
        peer.replies();
        b.stack.tcp.close(flow, b.nowMs);
      } else if (how === 'shutdown in SYN-SENT') b.stack.tcp.shutdown(flow);
      b.pump();
      assert.deepEqual(peer.replies(), [], how);

      peer.send({ flags: F.SYN | F.ACK, seq: PEER_ISS, ack: (syn.seq + 1) | 0 });
      if (how === 'close when connected') b.stack.tcp.close(flow, b.nowMs);
      b.pump();

      assert.equal(stateOf(peer), 'FinWait1', how);
      assert.ok(
        peer.replies().some((reply) => (reply.flags & F.FIN) !== 0),
        how,
      );
    }
  });

  it('by closing the listener resets those who finish their handshake later, and leaves no record (row 8)', () => {
    const peer = new RawPeer();
    const listener = peer.stack.tcp.listen(undefined, 80)!;
    peer.send({ flags: F.SYN, seq: PEER_ISS });
    const { seq } = peer.reply();

    peer.stack.tcp.closeListener(listener);
    peer.send({ flags: F.ACK, seq: (PEER_ISS + 1) | 0, ack: (seq + 1) | 0 });

    assert.equal(peer.reply().flags & F.RST, F.RST);
    assert.equal(peer.stack.tcp.flowCount, 0);
    assert.equal(peer.flow, undefined);
    const again = peer.stack.tcp.listen(undefined, 80)!;
    assert.deepEqual([listener.halfOpenCount, again.halfOpenCount], [0, 0]);
  });
});

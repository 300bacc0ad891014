import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { TCP_STATE_NAMES, TcpState } from '../../src/netstack/tcp/tcp-state.js';
import { F, PEER_ISS, RawPeer } from './raw-peer.js';

type StateName =
  | 'SynReceived'
  | 'Established'
  | 'FinWait1'
  | 'FinWait2'
  | 'CloseWait'
  | 'Closing'
  | 'LastAck'
  | 'TimeWait';

interface Position {
  readonly peer: RawPeer;
  /** Next sequence number of the peer, and the ACK number that acknowledges everything of the stack. */
  readonly seq: number;
  readonly ack: number;
  /** Window that the stack advertised. */
  readonly window: number;
}

const WINDOW = 65_535;
const STATES: readonly StateName[] = [
  'SynReceived',
  'Established',
  'FinWait1',
  'FinWait2',
  'CloseWait',
  'Closing',
  'LastAck',
  'TimeWait',
];
const SYNCHRONIZED = STATES.filter((name) => name !== 'SynReceived' && name !== 'TimeWait');

/** Brings a connection into a state, by segments of the peer and calls of the program. */
function reach(state: StateName): Position {
  const peer = new RawPeer();
  if (state === 'SynReceived') {
    peer.listen();
    peer.send({ flags: F.SYN, seq: PEER_ISS, options: [2, 4, 5, 0x64] });
    const { seq } = peer.reply();
    return { peer, seq: (PEER_ISS + 1) | 0, ack: (seq + 1) | 0, window: WINDOW };
  }
  let { seq, ack } = peer.open();
  const fin = (): void => {
    peer.send({ flags: F.FIN | F.ACK, seq, ack });
    seq = (seq + 1) | 0;
    peer.replies();
  };
  const close = (isAcknowledged: boolean): void => {
    peer.shutdown();
    ack = (ack + 1) | 0;
    if (isAcknowledged) peer.send({ flags: F.ACK, seq, ack });
    peer.replies();
  };
  if (state === 'FinWait1') close(false);
  if (state === 'FinWait2' || state === 'TimeWait') close(true);
  if (state === 'TimeWait' || state === 'CloseWait') fin();
  if (state === 'LastAck') {
    fin();
    close(false);
  }
  if (state === 'Closing') {
    // The peer's FIN does not acknowledge ours.
    peer.shutdown();
    peer.send({ flags: F.FIN | F.ACK, seq, ack });
    seq = (seq + 1) | 0;
    ack = (ack + 1) | 0;
    peer.replies();
  }
  const { flow } = peer;
  assert.equal(TCP_STATE_NAMES[flow!.state], state);
  return { peer, seq, ack, window: flow!.window.window(flow!.rcvNxt) };
}

function stateOf({ peer }: Position): string {
  return TCP_STATE_NAMES[peer.flow!.state]!;
}

describe('a segment in each state (RFC 9293 §3.10.7.4, RFC 5961)', () => {
  for (const state of SYNCHRONIZED) {
    describe(state, () => {
      it('ends with RST at exactly RCV.NXT (RFC 5961 §3.2)', () => {
        const at = reach(state);

        at.peer.send({ flags: F.RST, seq: at.seq });

        assert.equal(stateOf(at), 'Closed');
        assert.deepEqual(at.peer.replies(), []);
        assert.equal(at.peer.stack.tcp.flowCount, 0);
      });

      it('drops RST outside of the window without a word', () => {
        for (const seq of [-1, WINDOW * 200]) {
          const at = reach(state);
          at.peer.send({ flags: F.RST, seq: (at.seq + seq) | 0 });
          assert.deepEqual(at.peer.replies(), []);
          assert.equal(stateOf(at), state);
        }
      });

      it('challenges RST inside of the window (RFC 5961 §3.2)', () => {
        const at = reach(state);
        if (at.window < 2) return; // the peer has sent FIN: no window is kept open for it

        at.peer.send({ flags: F.RST, seq: (at.seq + 1) | 0 });

        const reply = at.peer.reply();
        assert.equal(reply.flags, F.ACK);
        assert.equal(reply.ack, at.seq);
        assert.equal(stateOf(at), state);
      });

      for (const [edge, offset] of [
        ['left of the window', -1],
        ['at the left edge', 0],
        ['inside', 1],
        ['right of the window', 10_000_000],
      ] as const) {
        it(`challenges SYN ${edge} (RFC 5961 §4.2)`, () => {
          const at = reach(state);

          at.peer.send({ flags: F.SYN, seq: (at.seq + offset) | 0 });

          const reply = at.peer.reply();
          assert.equal(reply.flags & (F.ACK | F.RST | F.SYN), F.ACK);
          assert.equal(reply.ack, at.seq);
          assert.equal(stateOf(at), state);
        });
      }

      it('challenges an ACK of what was never sent, and drops the segment (RFC 5961 §5.2)', () => {
        const at = reach(state);

        at.peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 1) | 0, data: Uint8Array.of(1) });

        assert.equal(at.peer.reply().flags & F.RST, 0);
        assert.equal(stateOf(at), state);
        assert.equal(at.peer.flow!.receiveQueue.unread, 0);
      });

      it('challenges an ACK from farther back than a window (RFC 5961 §5.2)', () => {
        const at = reach(state);

        at.peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack - 200_000) | 0 });

        assert.equal(at.peer.reply().ack, at.seq);
        assert.equal(stateOf(at), state);
      });

      it('answers data behind the window at once, each time (row 11)', () => {
        const at = reach(state);
        for (let i = 0; i < 3; i++) {
          at.peer.send({ flags: F.ACK, seq: (at.seq - 1) | 0, ack: at.ack, data: Uint8Array.of(9) });
          assert.equal(at.peer.replies().filter((reply) => reply.ack === at.seq).length, 1);
        }
      });

      it('drops a segment without ACK', () => {
        const at = reach(state);

        at.peer.send({ flags: 0, seq: at.seq, data: Uint8Array.of(1) });

        assert.equal(at.peer.flow!.receiveQueue.unread, 0);
        assert.equal(stateOf(at), state);
      });
    });
  }

  it('moves on with FIN: Established to CloseWait, FinWait1 to Closing, FinWait2 to TimeWait', () => {
    for (const [from, to] of [
      ['Established', 'CloseWait'],
      ['FinWait2', 'TimeWait'],
    ] as const) {
      const at = reach(from);
      at.peer.send({ flags: F.FIN | F.ACK, seq: at.seq, ack: at.ack });
      assert.equal(at.peer.reply().ack, (at.seq + 1) | 0);
      assert.equal(stateOf(at), to);
    }
    const at = reach('FinWait1');
    at.peer.send({ flags: F.FIN | F.ACK, seq: at.seq, ack: (at.ack - 1) | 0 });
    assert.equal(stateOf(at), 'Closing');
  });

  it('goes from FinWait1 to TimeWait with a FIN that acknowledges ours', () => {
    const at = reach('FinWait1');

    at.peer.send({ flags: F.FIN | F.ACK, seq: at.seq, ack: at.ack });

    assert.equal(stateOf(at), 'TimeWait');
    assert.equal(at.peer.reply().ack, (at.seq + 1) | 0);
  });

  it('ends Closing and LastAck with the ACK of our FIN', () => {
    const closing = reach('Closing');
    closing.peer.send({ flags: F.ACK, seq: closing.seq, ack: closing.ack });
    assert.equal(stateOf(closing), 'TimeWait');

    const last = reach('LastAck');
    last.peer.send({ flags: F.ACK, seq: last.seq, ack: last.ack });
    assert.equal(stateOf(last), 'Closed');
    assert.equal(last.peer.stack.tcp.flowCount, 0);
  });

  it('takes data in Established, FinWait1 and FinWait2, and none after FIN', () => {
    for (const state of ['Established', 'FinWait1', 'FinWait2'] as const) {
      const at = reach(state);
      at.peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack, data: Uint8Array.of(1, 2, 3) });
      assert.deepEqual(at.peer.read(), Uint8Array.of(1, 2, 3), state);
    }
    for (const state of ['CloseWait', 'Closing', 'LastAck'] as const) {
      const at = reach(state);
      at.peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack, data: Uint8Array.of(1) });
      assert.equal(at.peer.flow?.receiveQueue.unread, 0, state);
    }
  });
});

describe('SYN-RECEIVED', () => {
  it('answers a SYN that comes twice with SYN-ACK again (row 12)', () => {
    const at = reach('SynReceived');

    at.peer.send({ flags: F.SYN, seq: PEER_ISS });

    const reply = at.peer.reply();
    assert.equal(reply.flags, F.SYN | F.ACK);
    assert.equal(reply.seq, (at.ack - 1) | 0);
  });

  it('answers a wrong ACK with RST, and stays', () => {
    for (const wrong of [0, -1, 1]) {
      const at = reach('SynReceived');
      const ack = wrong === 0 ? (at.ack - 1) | 0 : (at.ack + wrong * 5) | 0;
      at.peer.send({ flags: F.ACK, seq: at.seq, ack });
      const reply = at.peer.reply();
      assert.equal(reply.flags, F.RST);
      assert.equal(reply.seq, ack);
      assert.equal(at.peer.stack.tcp.flowCount, 1);
    }
  });

  it('is forgotten with RST', () => {
    const at = reach('SynReceived');

    at.peer.send({ flags: F.RST, seq: at.seq });

    assert.equal(at.peer.stack.tcp.flowCount, 0);
    assert.equal(at.peer.flow, undefined);
  });

  it('sends SYN-ACK five times more, then frees its place (row 13)', () => {
    const at = reach('SynReceived');

    at.peer.advance(200_000);

    assert.deepEqual(
      at.peer.replies().map((reply) => reply.flags),
      Array(5).fill(F.SYN | F.ACK),
    );
    assert.equal(at.peer.stack.tcp.flowCount, 0);
  });

  it('takes data and FIN that come with the last ACK', () => {
    const at = reach('SynReceived');

    at.peer.send({ flags: F.ACK | F.FIN, seq: at.seq, ack: at.ack, data: Uint8Array.of(7) });

    assert.equal(stateOf(at), 'CloseWait');
    assert.deepEqual(at.peer.read(), Uint8Array.of(7));
  });
});

describe('TIME-WAIT (RFC 9293 §3.10.7.4)', () => {
  it('answers a FIN that is sent again, and waits anew', () => {
    const at = reach('TimeWait');
    at.peer.advance(50_000);

    at.peer.send({ flags: F.FIN | F.ACK, seq: (at.seq - 1) | 0, ack: at.ack });

    assert.equal(at.peer.reply().ack, at.seq);
    at.peer.advance(50_000);
    assert.equal(at.peer.stack.tcp.flowCount, 1);
    at.peer.advance(11_000);
    assert.equal(at.peer.stack.tcp.flowCount, 0);
  });

  it('ignores RST (RFC 1337)', () => {
    const at = reach('TimeWait');

    at.peer.send({ flags: F.RST, seq: at.seq });

    assert.equal(at.peer.stack.tcp.flowCount, 1);
  });

  it('lets a new SYN with a greater sequence number in (RFC 9293 §3.10.7.4)', () => {
    const at = reach('TimeWait');

    at.peer.send({ flags: F.SYN, seq: (at.seq + 100_000) | 0 });

    assert.equal(at.peer.reply().flags, F.SYN | F.ACK);
  });

  it('sends nothing by itself (row 6)', () => {
    const at = reach('TimeWait');
    at.peer.advance(59_000);
    assert.deepEqual(at.peer.replies(), []);
  });
});

describe('SYN-SENT (RFC 9293 §3.10.7.3)', () => {
  function connecting() {
    const peer = new RawPeer();
    const { b } = peer.pair;
    const flow = b.stack.tcp.connect(b.address, b.peer.address, 5_000, b.nowMs, 80)!;
    peer.flow = flow;
    b.pump();
    return { peer, flow, syn: peer.reply() };
  }

  it('sends SYN with MSS, window scale, SACK and timestamps', () => {
    const { syn } = connecting();
    assert.equal(syn.flags, F.SYN);
    assert.deepEqual([...syn.options.slice(0, 4)], [2, 4, 0x05, 0x64]); // 1,420 − 40
    assert.ok(syn.options.includes(4));
  });

  it('answers an ACK of anything else with RST, without changing', () => {
    const { peer, flow, syn } = connecting();
    for (const ack of [syn.seq, (syn.seq + 2) | 0]) {
      peer.send({ flags: F.ACK | F.SYN, seq: PEER_ISS, ack });
      const reply = peer.reply();
      assert.deepEqual([reply.flags, reply.seq], [F.RST, ack]);
      assert.equal(flow.state, TcpState.SynSent);
    }
  });

  it('is refused by RST with the right ACK, and by no other RST', () => {
    const { peer, flow, syn } = connecting();
    peer.send({ flags: F.RST, seq: 0 });
    peer.send({ flags: F.RST | F.ACK, seq: 0, ack: syn.seq });
    assert.equal(flow.state, TcpState.SynSent);

    peer.send({ flags: F.RST | F.ACK, seq: 0, ack: (syn.seq + 1) | 0 });

    assert.equal(flow.closedBy, 'refused');
  });

  it('opens with a SYN from the other side at the same time, with the same sequence number (§3.5)', () => {
    const { peer, flow, syn } = connecting();

    peer.send({ flags: F.SYN, seq: PEER_ISS });
    const synAck = peer.reply();
    assert.deepEqual([synAck.flags, synAck.seq, synAck.ack], [F.SYN | F.ACK, syn.seq, (PEER_ISS + 1) | 0]);
    peer.send({ flags: F.SYN | F.ACK, seq: PEER_ISS, ack: (syn.seq + 1) | 0 });

    assert.equal(flow.state, TcpState.Established);
  });

  it('keeps data that comes with SYN-ACK', () => {
    const { peer, syn } = connecting();

    peer.send({ flags: F.SYN | F.ACK, seq: PEER_ISS, ack: (syn.seq + 1) | 0, data: Uint8Array.of(5, 6) });

    assert.deepEqual(peer.read(), Uint8Array.of(5, 6));
  });

  it('sends SYN ten times more: four a second apart, then doubling, and gives up after 131 s', () => {
    const { peer, flow } = connecting();
    const startMs = peer.nowMs;

    peer.advance(200_000);

    const seconds = peer.replies().map((reply) => (reply.atMs - startMs) / 1_000);
    assert.deepEqual(seconds, [1, 2, 3, 4, 5, 7, 11, 19, 35, 67]);
    assert.equal(flow.closedBy, 'timed-out');
  });
});

describe('no connection (RFC 9293 §3.10.7.1)', () => {
  it('answers everything but RST with RST from the segment alone', () => {
    const peer = new RawPeer();
    peer.send({ flags: F.RST, seq: 1 });
    assert.deepEqual(peer.replies(), []);

    peer.send({ flags: F.ACK, seq: 1, ack: 77 });
    const withAck = peer.reply();
    assert.deepEqual([withAck.flags, withAck.seq], [F.RST, 77]);

    peer.send({ flags: F.SYN, seq: 10, data: Uint8Array.of(1, 2) });
    const withoutAck = peer.reply();
    assert.deepEqual([withoutAck.flags, withoutAck.seq, withoutAck.ack], [F.RST | F.ACK, 0, 13]);
  });

  it('ignores a SYN from a broadcast or multicast address, and one from the host to itself', () => {
    const peer = new RawPeer();
    peer.listen();
    const send = (source: readonly number[], sport: number): void => {
      const packet = new Uint8Array(40);
      packet.set([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, ...source, 10, 0, 0, 2]);
      packet.set([sport >> 8, sport & 255, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, F.SYN, 255, 255, 0, 0, 0, 0], 20);
      peer.pair.b.deliver(packet);
    };
    send([224, 0, 0, 1], 9);
    send([255, 255, 255, 255], 9);
    send([0, 0, 0, 0], 9);
    send([10, 0, 0, 2], 80);
    assert.deepEqual(peer.replies(), []);
    assert.equal(peer.stack.tcp.flowCount, 0);
  });
});

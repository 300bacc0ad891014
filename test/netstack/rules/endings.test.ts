import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addressWords } from '../../../src/netstack/address.js';
import { TCP_STATE_NAMES, TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { F, PEER_ISS, RawPeer, STACK_PORT } from '../raw-peer.js';
import { StackPair } from '../stack-pair.js';
import { dataOf, MSS_1380, stampsOf, timestamps } from './segments.js';

/** A connection that the stack closed first, and that is in TIME-WAIT. */
function inTimeWait(options: readonly number[] = MSS_1380, bytes = 0): { peer: RawPeer; seq: number; ack: number } {
  const peer = new RawPeer();
  const at = peer.open(options);
  if (bytes > 0) peer.write(new Uint8Array(bytes));
  peer.shutdown();
  for (let i = 0; i < 200 && peer.flow!.state === TcpState.FinWait1; i++) {
    peer.replies();
    peer.send({ flags: F.ACK, seq: at.seq, ack: peer.flow!.sndNxt });
  }
  at.ack = peer.flow!.sndNxt;
  peer.send({ flags: F.FIN | F.ACK, ...at, options: options.length > 4 ? timestamps(500) : [] });
  peer.replies();
  assert.equal(peer.flow!.state, TcpState.TimeWait);
  return { peer, seq: (at.seq + 1) | 0, ack: at.ack };
}

describe('a connection that nobody holds', () => {
  it('answers data with RST, since it would be lost (RFC 9293 §3.6.1, RFC 2525 §2.16)', () => {
    for (const isAcknowledged of [false, true]) {
      const peer = new RawPeer();
      const at = peer.open();
      peer.stack.tcp.close(peer.flow!, peer.nowMs);
      peer.pair.b.pump();
      peer.replies();
      const ack = isAcknowledged ? (at.ack + 1) | 0 : at.ack;
      peer.send({ flags: F.ACK, seq: at.seq, ack });
      assert.equal(TCP_STATE_NAMES[peer.flow!.state], isAcknowledged ? 'FinWait2' : 'FinWait1');
      peer.send({ flags: F.ACK, seq: at.seq, ack, data: Uint8Array.of(1) });
      const reset = peer.reply();
      assert.deepEqual([reset.flags & F.RST, reset.seq], [F.RST, ack]);
      assert.deepEqual([peer.stack.tcp.flowCount, peer.stack.pool.usedBytes], [0, 0]);
    }
  });

  it('takes a FIN in the ordinary way', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.stack.tcp.close(peer.flow!, peer.nowMs);
    peer.pair.b.pump();
    peer.send({ flags: F.FIN | F.ACK, seq: at.seq, ack: (at.ack + 1) | 0 });
    assert.equal(peer.flow!.state, TcpState.TimeWait);
  });

  it('is given up after eight retransmissions, one that is held after fifteen', () => {
    for (const [isOrphan, times] of [
      [true, 8],
      [false, 15],
    ] as const) {
      const peer = new RawPeer();
      peer.open();
      peer.write(new Uint8Array(100));
      peer.replies();
      if (isOrphan) peer.stack.tcp.close(peer.flow!, peer.nowMs);
      peer.pair.b.pump();
      peer.replies();
      peer.advance(3_000_000);
      assert.equal(dataOf(peer).length, times);
      assert.equal(peer.stack.tcp.flowCount, 0);
    }
  });

  it('is given up after eight probes of a closed window', () => {
    const peer = new RawPeer();
    const at = peer.open(MSS_1380, 100);
    peer.write(new Uint8Array(1_000));
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 100) | 0, window: 0 });
    peer.stack.tcp.close(peer.flow!, peer.nowMs);
    peer.replies();
    peer.advance(3_000_000);
    assert.equal(peer.replies().length, 8);
    assert.equal(peer.stack.tcp.flowCount, 0);
  });
});

describe('closing', () => {
  it('sends FIN at once, also behind a small segment that Nagle would hold back (RFC 2525 §2.15)', () => {
    const peer = new RawPeer();
    peer.open();
    peer.write(new Uint8Array(10));
    peer.write(new Uint8Array(10));
    peer.replies();
    peer.shutdown();
    const fin = peer.reply();
    assert.deepEqual([fin.flags & (F.FIN | F.PSH), fin.data.length], [F.FIN | F.PSH, 10]);
  });

  it('leaves the other direction open without a limit of time (half-close, RFC 9293 §3.6)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.shutdown();
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 1) | 0 });
    peer.advance(3_600_000);
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 1) | 0, data: Uint8Array.of(7) });
    assert.deepEqual([...peer.read()], [7]);
  });

  it('of both sides at once goes by CLOSING, where data and FIN are still sent again (RFC 9293 §3.6)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    peer.write(new Uint8Array(100));
    peer.shutdown();
    peer.replies();
    peer.send({ flags: F.FIN | F.ACK, ...at });
    assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Closing');
    peer.replies();
    peer.advance(1_500);
    assert.ok(dataOf(peer).length > 0);
    peer.send({ flags: F.ACK, seq: (at.seq + 1) | 0, ack: (at.ack + 101) | 0 });
    assert.equal(peer.flow!.state, TcpState.TimeWait);
  });
});

describe('TIME-WAIT', () => {
  it('is left for a SYN with a newer stamp, or with the same one and a greater sequence number (RFC 6191 §2)', () => {
    const options = [...MSS_1380, ...timestamps(400)];
    for (const [stamp, ahead, isLetIn] of [
      [501, -5_000, true],
      [500, 1, true],
      [500, -5_000, false],
      [499, 1, false],
    ] as const) {
      const { peer, seq } = inTimeWait(options);
      peer.send({ flags: F.SYN, seq: (seq + ahead) | 0, options: [...MSS_1380, ...timestamps(stamp)] });
      const [answer] = peer.replies();
      assert.equal((answer?.flags ?? 0) === (F.SYN | F.ACK), isLetIn, `${stamp} ${ahead}`);
    }
  });

  it('gives the new connection an ISS behind all that the old one sent (RFC 6191 §2, RFC 9293 §3.10.7.4)', () => {
    // Megabytes in no time: the clock of initial numbers is far behind.
    const { peer, seq, ack } = inTimeWait(MSS_1380, 131_072);
    peer.send({ flags: F.SYN, seq: (seq + 1) | 0, options: MSS_1380 });
    const synAck = peer.reply();
    assert.equal(synAck.flags, F.SYN | F.ACK);
    assert.ok(((synAck.seq - ack) | 0) >= 65_536, `${(synAck.seq - ack) | 0}`);
  });

  it('lasts 60 s, and its records are 4,096 at most: the oldest go', () => {
    const { peer } = inTimeWait();
    peer.advance(59_000);
    assert.equal(peer.stack.tcp.flowCount, 1);
    peer.advance(1_000);
    assert.equal(peer.stack.tcp.flowCount, 0);
    for (let port = 1; port <= 4_200; port++) {
      peer.send({ flags: F.SYN, seq: PEER_ISS, sport: port, options: MSS_1380 });
      const [synAck] = peer.replies();
      const seq = (PEER_ISS + 1) | 0;
      peer.send({ flags: F.ACK, seq, ack: (synAck!.seq + 1) | 0, sport: port });
      peer.shutdown();
      peer.send({ flags: F.FIN | F.ACK, seq, ack: (synAck!.seq + 2) | 0, sport: port });
      peer.replies();
    }
    assert.equal(peer.stack.tcp.flowCount, 4_096);
  });
});

describe('a handshake', () => {
  it('is not completed by an ACK outside of the window, or with a stamp older than that of the SYN', () => {
    for (const options of [MSS_1380, [...MSS_1380, ...timestamps(100)]]) {
      const peer = new RawPeer();
      peer.listen();
      peer.send({ flags: F.SYN, seq: PEER_ISS, options });
      const synAck = peer.reply();
      const ack = (synAck.seq + 1) | 0;
      const isStamped = options.length > 4;
      const wrong = isStamped ? { seq: (PEER_ISS + 1) | 0, options: timestamps(99) } : { seq: (PEER_ISS - 9) | 0 };
      peer.send({ flags: F.ACK, ack, ...wrong });
      assert.equal(peer.reply().ack, (PEER_ISS + 1) | 0, 'an answer that shows where we are');
      assert.equal(peer.flow, undefined);
      peer.send({ flags: F.ACK, seq: (PEER_ISS + 1) | 0, ack, options: isStamped ? timestamps(101) : [] });
      assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Established');
    }
  });

  it('ends with RST when the listener was closed meanwhile', () => {
    const peer = new RawPeer();
    const listener = peer.stack.tcp.listen(undefined, STACK_PORT)!;
    peer.send({ flags: F.SYN, seq: PEER_ISS, options: MSS_1380 });
    const synAck = peer.reply();
    peer.stack.tcp.closeListener(listener);
    peer.send({ flags: F.ACK, seq: (PEER_ISS + 1) | 0, ack: (synAck.seq + 1) | 0 });
    assert.equal(peer.reply().flags & F.RST, F.RST);
    assert.deepEqual([peer.stack.tcp.flowCount, listener.halfOpenCount], [0, 0]);
  });

  it('does not acknowledge data of the SYN, which comes again (RFC 9293 §3.10.7.2)', () => {
    const peer = new RawPeer();
    peer.listen();
    peer.send({ flags: F.SYN, seq: PEER_ISS, options: MSS_1380, data: Uint8Array.of(1, 2, 3) });
    const synAck = peer.reply();
    assert.equal(synAck.ack, (PEER_ISS + 1) | 0);
    peer.send({ flags: F.ACK, seq: (PEER_ISS + 1) | 0, ack: (synAck.seq + 1) | 0, data: Uint8Array.of(1, 2, 3) });
    assert.deepEqual([...peer.read()], [1, 2, 3]);
  });

  it('is refused with RST where nobody listens (RFC 9293 §3.10.7.1)', () => {
    const peer = new RawPeer();
    peer.send({ flags: F.SYN, seq: 5 });
    const reset = peer.reply();
    assert.deepEqual([reset.flags, reset.seq, reset.ack], [F.RST | F.ACK, 0, 6]);
  });

  it('is not begun with an address that is no single host (RFC 9293 §3.9.2.3)', () => {
    const { a } = new StackPair(1);
    for (const to of [
      [0, 0, 0, 0],
      [224, 0, 0, 1],
      [255, 255, 255, 255],
      [...new Uint8Array(16)],
      [0xff, ...new Uint8Array(15)],
    ])
      assert.equal(a.stack.tcp.connect(a.address, addressWords(Uint8Array.from(to)), 80, 0), undefined);
  });

  it('may be for the same port on each address of a host (RFC 9293 §3.9.1.1)', () => {
    const { tcp } = new StackPair(1).a.stack;
    const [one, two] = [1, 2].map((last) => addressWords(Uint8Array.of(10, 0, 0, last)));
    const listeners = [tcp.listen(one, 80), tcp.listen(two, 80), tcp.listen(undefined, 80)];
    assert.ok(listeners.every((listener) => listener !== undefined));
    assert.equal(tcp.listen(one, 80), undefined);
    assert.deepEqual([tcp.listenerOf(one!, 80), tcp.listenerOf(two!, 80)], listeners.slice(0, 2));
  });
});

describe('an old stamp', () => {
  it('of a segment draws an ACK and nothing else (PAWS, RFC 7323 §5.3), but never for RST', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, ...timestamps(1_000)]);
    peer.send({ flags: F.ACK, ...at, data: Uint8Array.of(1), options: timestamps(999) });
    assert.deepEqual([peer.reply().ack, peer.flow!.rcvNxt], [at.seq, at.seq]);
    peer.send({ flags: F.RST, ...at, options: timestamps(1) });
    assert.equal(peer.flow!.closedBy, 'reset');
  });

  it('counts no more after 24 days of silence (RFC 7323 §5.5)', () => {
    for (const [days, isTaken] of [
      [23.9, false],
      [24.1, true],
    ] as const) {
      const peer = new RawPeer();
      const at = peer.open([...MSS_1380, ...timestamps(1_000)]);
      peer.advance(days * 86_400_000);
      peer.send({ flags: F.ACK, ...at, data: Uint8Array.of(1), options: timestamps(500) });
      assert.equal(peer.flow!.rcvNxt !== at.seq, isTaken, `${days} days`);
    }
  });

  it('is taken from segments at or in front of the last ACK only (RFC 7323 §4.3)', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, ...timestamps(1_000)]);
    peer.send({
      flags: F.ACK,
      seq: (at.seq + 10) | 0,
      ack: at.ack,
      data: new Uint8Array(10),
      options: timestamps(2_000),
    });
    assert.equal(stampsOf(peer.reply())!.echo, 1_000);
    peer.send({ flags: F.ACK, seq: at.seq, ack: at.ack, data: new Uint8Array(10), options: timestamps(1_500) });
    assert.equal(stampsOf(peer.reply())!.echo, 1_500);
  });

  it('is in every segment once both agreed, and a segment without one is taken all the same (RFC 7323 §3.2)', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, ...timestamps(1_000)]);
    peer.write(new Uint8Array(5_000));
    peer.send({ flags: F.ACK, ...at, data: Uint8Array.of(1) });
    peer.shutdown();
    const replies = peer.replies();
    assert.ok(replies.length >= 4 && replies.every((reply) => stampsOf(reply) !== undefined));
    assert.equal(peer.flow!.rcvNxt, (at.seq + 1) | 0);
  });
});

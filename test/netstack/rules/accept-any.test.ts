import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { EchoRequest } from '../../../src/netstack/icmp/echo.js';
import type { HalfOpen } from '../../../src/netstack/tcp/half-open.js';
import type { Refusal } from '../../../src/netstack/tcp/handshakes.js';
import type { StrayDatagram } from '../../../src/netstack/udp/udp.js';
import { buildSegment, F, RawPeer } from '../raw-peer.js';
import { StackPair } from '../stack-pair.js';
import { ipPacket, parseIcmp } from './icmp-packets.js';
import { MSS_1380 } from './segments.js';

const CLIENT4 = [10, 0, 0, 1];
const ELSEWHERE4 = [192, 0, 2, 7];
const CLIENT6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ELSEWHERE6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const SYN = { flags: F.SYN, seq: 1_000, options: MSS_1380 } as const;

function asked(): { peer: RawPeer; requests: HalfOpen[]; gone: HalfOpen[] } {
  const peer = new RawPeer({ acceptsAny: true });
  const requests: HalfOpen[] = [];
  const gone: HalfOpen[] = [];
  const { handshakes } = peer.stack.tcp;
  handshakes.onSyn = (request) => requests.push(request);
  handshakes.onSynGone = (request) => gone.push(request);
  return { peer, requests, gone };
}

/** The SYN of an IPv6 client to an address elsewhere. */
function syn6(): Uint8Array {
  const segment = buildSegment(SYN).subarray(20);
  return ipPacket(CLIENT6, ELSEWHERE6, 6, segment);
}

describe('a SYN to any address', () => {
  it('waits for the program without an answer, and its repeats are the same request', () => {
    const { peer, requests } = asked();
    for (let i = 0; i < 5; i++) {
      peer.send(SYN);
      peer.advance(1_000);
    }
    assert.deepEqual([requests.length, peer.replies().length], [1, 0]);
  });

  it('is answered when the program accepts, and becomes a connection', () => {
    const { peer, requests, gone } = asked();
    peer.send(SYN);
    peer.advance(3_000);
    peer.stack.tcp.handshakes.accept(requests[0]!, peer.nowMs);
    peer.pair.b.pump();
    const synAck = peer.reply();
    assert.equal(synAck.flags, F.SYN | F.ACK);
    peer.send({ flags: F.ACK, seq: 1_001, ack: (synAck.seq + 1) | 0, data: Uint8Array.of(1, 2, 3) });
    peer.flow = requests[0]!.flow;
    assert.deepEqual([...peer.read()], [1, 2, 3]);
    assert.deepEqual(gone, []);
  });

  it('is refused as the host at the end would refuse it (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1)', () => {
    const cases: readonly (readonly [Refusal, number, number])[] = [
      ['host', 1, 3],
      ['network', 0, 0],
      ['prohibited', 13, 1],
      ['port', 3, 4],
    ];
    for (const [how, code4, code6] of cases) {
      for (const isIpv6 of [false, true]) {
        const { peer, requests } = asked();
        const packet = isIpv6 ? syn6() : buildSegment(SYN);
        peer.pair.b.deliver(packet);
        peer.stack.tcp.handshakes.refuse(requests[0]!, how, peer.nowMs);
        peer.pair.b.pump();
        assert.equal(peer.pair.b.sent.length, 1);
        const icmp = parseIcmp(peer.pair.b.sent[0]!)!;
        assert.deepEqual([icmp.type, icmp.code], isIpv6 ? [1, code6] : [3, code4]);
        assert.deepEqual(icmp.quoted, packet);
        assert.equal(peer.stack.tcp.flowCount, 0);
      }
    }
  });

  it('is refused by RST that acknowledges it, or in silence', () => {
    for (const how of ['reset', 'silence'] as const) {
      const { peer, requests } = asked();
      peer.send(SYN);
      peer.stack.tcp.handshakes.refuse(requests[0]!, how, peer.nowMs);
      peer.pair.b.pump();
      const replies = peer.replies();
      if (how === 'silence') assert.equal(replies.length, 0);
      else assert.deepEqual([replies[0]!.flags, replies[0]!.seq, replies[0]!.ack], [F.RST | F.ACK, 0, 1_001]);
      // The decision is final: what comes later changes nothing.
      peer.stack.tcp.handshakes.accept(requests[0]!, peer.nowMs);
      peer.stack.tcp.handshakes.refuse(requests[0]!, 'reset', peer.nowMs);
      peer.pair.b.pump();
      assert.deepEqual([peer.replies().length, peer.stack.tcp.flowCount], [0, 0]);
    }
  });

  it('is over when the client resets it, or is silent for 63 s: the program learns of it', () => {
    const { peer, requests, gone } = asked();
    peer.send(SYN);
    peer.send({ flags: F.RST, seq: 1_001 });
    assert.deepEqual(gone, requests);
    peer.send({ ...SYN, sport: 5_001 });
    peer.advance(40_000);
    peer.send({ ...SYN, sport: 5_001 });
    peer.advance(62_999);
    assert.equal(gone.length, 1);
    peer.advance(1);
    assert.deepEqual(gone, requests);
    assert.equal(peer.stack.tcp.flowCount, 0);
  });

  it('is over when the client never completes what the program accepted', () => {
    const { peer, requests, gone } = asked();
    peer.send(SYN);
    peer.stack.tcp.handshakes.accept(requests[0]!, peer.nowMs);
    peer.pair.b.pump();
    peer.advance(100_000);
    assert.deepEqual(gone, requests);
  });

  it('has half of the 2,048 places at most for one client: another one is still asked about (row 49)', () => {
    const { peer, requests } = asked();
    for (let port = 1; port <= 3_000; port++) peer.send({ ...SYN, sport: port });
    assert.equal(requests.length, 1_024);
    assert.ok(
      peer.replies().every(({ flags }) => flags === (F.RST | F.ACK)),
      'the rest is refused, not left waiting',
    );
    const other = buildSegment(SYN);
    other[15] = 99;
    peer.pair.b.deliver(other);
    assert.equal(requests.length, 1_025);
    for (const request of requests.splice(0)) peer.stack.tcp.handshakes.refuse(request, 'silence', peer.nowMs);
    peer.send(SYN);
    assert.equal(requests.length, 1);
  });

  it('alone is asked about: other segments of unknown connections get no answer (row 51)', () => {
    const { peer, requests } = asked();
    for (const flags of [F.ACK, F.SYN | F.ACK, F.FIN | F.ACK, F.RST, F.FIN]) peer.send({ flags, seq: 1, ack: 1 });
    assert.deepEqual([requests.length, peer.replies().length], [0, 0]);
  });
});

describe('a datagram to any address', () => {
  const message = (): Uint8Array => {
    const bytes = new Uint8Array(11);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 5_000);
    view.setUint16(2, 53);
    view.setUint16(4, bytes.length);
    view.setUint16(6, 1);
    bytes.set([1, 2, 3], 8);
    return bytes;
  };

  it('comes with both ends, and is answered from where it was sent', () => {
    for (const [client, elsewhere] of [
      [CLIENT4, ELSEWHERE4],
      [CLIENT6, ELSEWHERE6],
    ] as const) {
      const { b } = new StackPair(1, {}, { acceptsAny: true });
      b.isRecording = true;
      b.conditions = { filter: () => false };
      const seen: StrayDatagram[] = [];
      b.stack.udp.onDatagram = (datagram) => seen.push(datagram) > 0;
      b.deliver(ipPacket(client, elsewhere, 17, message()));
      const [datagram] = seen;
      assert.deepEqual([datagram!.localPort, datagram!.remotePort, [...datagram!.data]], [53, 5_000, [1, 2, 3]]);
      b.stack.udp.send(datagram!.local, 53, datagram!.remote, 5_000, Uint8Array.of(9));
      b.pump();
      const [answer] = b.sent;
      const at = client.length === 4 ? 12 : 8;
      assert.deepEqual([...answer!.subarray(at, at + 2 * client.length)], [...elsewhere, ...client]);
    }
  });

  it('that the program does not take, or refuses later, is answered by ICMP', () => {
    for (const isLater of [false, true]) {
      const { b } = new StackPair(1, {}, { acceptsAny: true });
      b.isRecording = true;
      b.conditions = { filter: () => false };
      let seen: StrayDatagram | undefined;
      b.stack.udp.onDatagram = (datagram) => {
        seen = datagram;
        return isLater;
      };
      const packet = ipPacket(CLIENT4, ELSEWHERE4, 17, message());
      b.deliver(packet);
      if (isLater) b.stack.icmp.refuse(seen!, 'host', b.nowMs);
      b.pump();
      const icmp = parseIcmp(b.sent[0]!)!;
      assert.deepEqual([icmp.type, icmp.code], [3, isLater ? 1 : 3]);
      assert.deepEqual(icmp.quoted, packet);
    }
  });
});

describe('an echo request to any address', () => {
  const request = (isIpv6: boolean): Uint8Array => Uint8Array.of(isIpv6 ? 128 : 8, 0, 0, 0, 0, 7, 0, 3, 4, 5, 6);

  it('is handed to the program, which answers it later in the name of that address, or refuses', () => {
    for (const isIpv6 of [false, true]) {
      const { b } = new StackPair(1, {}, { acceptsAny: true });
      b.isRecording = true;
      b.conditions = { filter: () => false };
      const seen: EchoRequest[] = [];
      b.stack.icmp.onEcho = (echo) => seen.push(echo);
      const [client, elsewhere] = isIpv6 ? [CLIENT6, ELSEWHERE6] : [CLIENT4, ELSEWHERE4];
      b.deliver(ipPacket(client, elsewhere, isIpv6 ? 58 : 1, request(isIpv6)));
      assert.equal(b.sent.length, 0, 'nothing before the program says so');
      assert.deepEqual([seen[0]!.identifier, seen[0]!.sequence, [...seen[0]!.data]], [7, 3, [4, 5, 6]]);
      b.stack.icmp.reply(seen[0]!);
      b.stack.icmp.refuse(seen[0]!, 'host', b.nowMs);
      b.pump();
      const [reply, refusal] = b.sent;
      assert.equal(parseIcmp(reply!)!.type, isIpv6 ? 129 : 0);
      const at = isIpv6 ? 8 : 12;
      assert.deepEqual([...reply!.subarray(at, at + elsewhere.length)], elsewhere);
      assert.deepEqual([...reply!.subarray(reply!.length - 7)], [0, 7, 0, 3, 4, 5, 6]);
      assert.deepEqual([parseIcmp(refusal!)!.type, parseIcmp(refusal!)!.code], isIpv6 ? [1, 3] : [3, 1]);
    }
  });

  it('is silent without a program that asks, and one to our own address is always answered (RFC 1122 §3.2.2.6)', () => {
    const { b } = new StackPair(1, {}, { acceptsAny: true });
    b.isRecording = true;
    b.conditions = { filter: () => false };
    b.deliver(ipPacket(CLIENT4, ELSEWHERE4, 1, request(false)));
    assert.deepEqual(b.sent, []);
    b.deliver(ipPacket(CLIENT4, [10, 0, 0, 2], 1, request(false)));
    assert.equal(parseIcmp(b.sent[0]!)!.type, 0);
  });

  it('and everything else to loopback, multicast or broadcast addresses is dropped (RFC 1122 §3.2.1.3)', () => {
    const { b } = new StackPair(1, {}, { acceptsAny: true });
    const seen: EchoRequest[] = [];
    b.stack.icmp.onEcho = (echo) => seen.push(echo);
    for (const to of [
      [127, 0, 0, 1],
      [224, 0, 0, 1],
      [255, 255, 255, 255],
      [0, 0, 0, 0],
    ])
      b.deliver(ipPacket(CLIENT4, to, 1, request(false)));
    b.deliver(ipPacket(CLIENT6, [...new Uint8Array(15), 1], 58, request(true)));
    assert.deepEqual([seen.length, b.stack.counters.notForUs], [0, 5]);
  });
});

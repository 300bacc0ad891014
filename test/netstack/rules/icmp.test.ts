import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { TCP_STATE_NAMES } from '../../../src/netstack/tcp/tcp-state.js';
import { F, RawPeer } from '../raw-peer.js';
import { StackPair } from '../stack-pair.js';
import { errorAbout, ipPacket, parseIcmp } from './icmp-packets.js';

const UNREACHABLE = { network: 0, host: 1, protocol: 2, port: 3, route: 5, prohibited: 13 } as const;

/** A connection attempt of the stack, whose SYN went out. */
function synSent(isIpv6 = false) {
  const pair = new StackPair(1, {}, { isIpv6 });
  pair.a.isRecording = true;
  pair.a.conditions = { filter: () => false };
  const flow = pair.a.connect(80);
  return { pair, flow, syn: pair.a.sent[0]! };
}

describe('an ICMP error about a SYN', () => {
  it('ends the attempt: refused for a port or protocol, unreachable for a host or network (RFC 5461 §4.1)', () => {
    for (const [kind, reason] of [
      ['port', 'refused'],
      ['protocol', 'refused'],
      ['host', 'unreachable'],
      ['network', 'unreachable'],
      ['prohibited', 'unreachable'],
    ] as const) {
      const { pair, flow, syn } = synSent();
      pair.a.deliver(errorAbout(syn, { type: 3, code: UNREACHABLE[kind] }));
      assert.equal(flow.closedBy, reason, kind);
    }
    for (const [type, code, reason] of [
      [1, 4, 'refused'],
      [1, 3, 'unreachable'],
      [1, 0, 'unreachable'],
      [1, 1, 'unreachable'],
      [4, 1, 'refused'],
    ] as const) {
      const { pair, flow, syn } = synSent(true);
      pair.a.deliver(errorAbout(syn, { type, code }));
      assert.equal(flow.closedBy, reason, `${type}/${code}`);
    }
  });

  it('counts only if it quotes the sequence number of the SYN (RFC 5927 §4.1)', () => {
    const { pair, flow, syn } = synSent();
    const other = syn.slice();
    other[27]! ^= 1;
    pair.a.deliver(errorAbout(other, { type: 3, code: UNREACHABLE.port }));
    assert.equal(flow.closedBy, undefined);
  });

  it('does not end it for time exceeded or a parameter problem; the end tells (RFC 9293 §3.9.2.2)', () => {
    for (const [isIpv6, type, code] of [
      [false, 11, 0],
      [false, 12, 0],
      [true, 3, 0],
      [true, 4, 0],
    ] as const) {
      const { pair, flow, syn } = synSent(isIpv6);
      pair.a.deliver(errorAbout(syn, { type, code }));
      assert.equal(flow.closedBy, undefined);
      pair.advance(200_000);
      assert.equal(flow.closedBy, 'unreachable');
    }
    const silent = synSent();
    silent.pair.advance(200_000);
    assert.equal(silent.flow.closedBy, 'timed-out');
  });

  it('is ignored as source quench (RFC 6633 §3)', () => {
    const { pair, flow, syn } = synSent();
    const { windowBytes } = flow.congestion;
    pair.a.deliver(errorAbout(syn, { type: 4, code: 0 }));
    assert.deepEqual([flow.closedBy, flow.congestion.windowBytes], [undefined, windowBytes]);
  });
});

describe('an ICMP error about a connection', () => {
  it('never ends it (RFC 5927 §5.2); behind a timeout the program learns of it (RFC 9293 §3.9.2.2)', () => {
    for (const code of Object.values(UNREACHABLE)) {
      const peer = new RawPeer();
      const at = peer.open();
      peer.write(new Uint8Array(100));
      const packet = peer.pair.b.sent.at(-1)!;
      peer.pair.b.deliver(errorAbout(packet, { type: 3, code }));
      assert.equal(TCP_STATE_NAMES[peer.flow!.state], 'Established');
      if (code === UNREACHABLE.host) {
        peer.advance(2_000_000);
        assert.equal(peer.flow!.closedBy, 'unreachable');
        continue;
      }
      peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 100) | 0 });
      assert.equal(peer.flow!.isUnreachable, false, 'an ACK takes it back');
    }
  });
});

describe('ICMP errors of ours', () => {
  const closedPort = (from: readonly number[], to: readonly number[], port = 9): Uint8Array => {
    const message = new Uint8Array(108);
    const view = new DataView(message.buffer);
    view.setUint16(0, 5_000);
    view.setUint16(2, port);
    view.setUint16(4, message.length);
    view.setUint16(6, 1);
    return ipPacket(from, to, 17, message);
  };
  const PEER = [10, 0, 0, 1];
  const STACK = [10, 0, 0, 2];

  function sentBy(packets: readonly Uint8Array[], isIpv6 = false): Uint8Array[] {
    const pair = new StackPair(1, {}, { isIpv6 });
    pair.b.isRecording = true;
    pair.b.conditions = { filter: () => false };
    for (const packet of packets) pair.b.deliver(packet);
    return pair.b.sent;
  }

  it('answer a closed UDP port with its header quoted (RFC 1122 §4.1.3.1), and an unknown protocol (RFC 1122 §3.2.2.1)', () => {
    const packet = closedPort(PEER, STACK);
    const [answer] = sentBy([packet]);
    const icmp = parseIcmp(answer!)!;
    assert.deepEqual([icmp.type, icmp.code], [3, 3]);
    assert.deepEqual(icmp.quoted, packet);
    const unknown = parseIcmp(sentBy([ipPacket(PEER, STACK, 200, new Uint8Array(20))])[0]!)!;
    assert.deepEqual([unknown.type, unknown.code], [3, 2]);
    const six = (last: number): number[] => [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    const port6 = parseIcmp(sentBy([closedPort(six(1), six(2))], true)[0]!)!;
    assert.deepEqual([port6.type, port6.code], [1, 4]);
    const protocol6 = parseIcmp(sentBy([ipPacket(six(1), six(2), 200, new Uint8Array(20))], true)[0]!)!;
    assert.deepEqual([protocol6.type, protocol6.code], [4, 1]);
  });

  it('are 576 bytes at most, 1,280 for IPv6 (RFC 1812 §4.3.2.3, RFC 4443 §2.4 c)', () => {
    const [answer] = sentBy([ipPacket(PEER, STACK, 200, new Uint8Array(1_300))]);
    assert.equal(answer!.length, 576);
    const six = (last: number): number[] => [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    assert.equal(sentBy([ipPacket(six(1), six(2), 200, new Uint8Array(1_370))], true)[0]!.length, 1_280);
  });

  it('never answer an ICMP error, or a source that is no single host (RFC 1122 §3.2.2, RFC 4443 §2.4 e)', () => {
    const error = errorAbout(closedPort(STACK, PEER), { type: 3, code: 3 });
    const unknownError = errorAbout(ipPacket(STACK, PEER, 200, new Uint8Array(20)), { type: 3, code: 2 });
    for (const packet of [
      error,
      unknownError,
      closedPort([224, 0, 0, 1], STACK),
      closedPort([255, 255, 255, 255], STACK),
      closedPort([0, 0, 0, 0], STACK),
      closedPort([127, 0, 0, 1], STACK),
      closedPort(PEER, [224, 0, 0, 1]),
    ])
      assert.deepEqual(sentBy([packet]), []);
  });

  it('are six at once and then one in a second to a destination, 1,000 a second in all (RFC 1812 §4.3.2.8)', () => {
    const pair = new StackPair(1);
    const { b } = pair;
    b.conditions = { filter: () => false };
    const count = (packets: readonly Uint8Array[]): number => {
      const before = b.packets;
      for (const packet of packets) b.deliver(packet);
      return b.packets - before;
    };
    const flood = Array.from({ length: 100 }, () => closedPort(PEER, STACK));
    assert.equal(count(flood), 6);
    pair.advance(3_000);
    assert.equal(count(flood), 3);
    pair.advance(10_000);
    const many = Array.from({ length: 6_000 }, (_, i) => closedPort([10, 1, i >> 8, i & 255], STACK));
    const sent = count(many);
    assert.ok(sent > 900 && sent <= 1_000, `${sent}`);
  });
});

describe('UDP', () => {
  it('drops a datagram of IPv6 without checksum, and takes one of IPv4 (RFC 8200 §8.1, RFC 768)', () => {
    for (const isIpv6 of [false, true]) {
      const { b } = new StackPair(1, {}, { isIpv6 });
      const endpoint = b.stack.udp.bind(undefined, 53)!;
      const message = new Uint8Array(12);
      const view = new DataView(message.buffer);
      view.setUint16(0, 5_000);
      view.setUint16(2, 53);
      view.setUint16(4, message.length);
      const six = (last: number): number[] => [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
      const addresses: [number[], number[]] = isIpv6
        ? [six(1), six(2)]
        : [
            [10, 0, 0, 1],
            [10, 0, 0, 2],
          ];
      b.deliver(ipPacket(...addresses, 17, message));
      assert.equal(endpoint.receive()?.data.length, isIpv6 ? undefined : 4);
      assert.equal(b.stack.udp.malformed, isIpv6 ? 1 : 0);
    }
  });

  it('never sends a checksum of zero (RFC 768)', () => {
    const { a, b } = new StackPair(1);
    a.isRecording = true;
    for (let i = 0; i < 70_000; i++) {
      a.stack.udp.send(a.address, 1, b.address, 2, Uint8Array.of(i >> 8, i & 255));
      a.pump();
      const packet = a.sent.pop()!;
      assert.ok((packet[26]! | packet[27]!) !== 0);
    }
  });

  it('tells a connected port of every error that quotes it (RFC 1122 §4.1.3.3)', () => {
    for (const [type, code, error] of [
      [3, 3, 'refused'],
      [3, 1, 'unreachable'],
      [11, 0, 'unreachable'],
    ] as const) {
      const { a, b } = new StackPair(1);
      a.isRecording = true;
      a.conditions = { filter: () => false };
      const endpoint = a.stack.udp.bind(a.address, 4_000)!;
      endpoint.remote = b.address;
      endpoint.remotePort = 53;
      a.stack.udp.send(a.address, 4_000, b.address, 53, new Uint8Array(4));
      a.pump();
      a.deliver(errorAbout(a.sent[0]!, { type, code }));
      assert.equal(endpoint.error, error);
    }
  });
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { addressWords } from '../../../src/netstack/address.js';
import { hasValidTransportChecksum } from '../../../src/netstack/checksum.js';
import { IpView } from '../../../src/netstack/ip/ip-view.js';
import { Reassembler } from '../../../src/netstack/ip/reassembler.js';
import { UdpEvent } from '../../../src/netstack/udp/udp-endpoint.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { StackPair, Transfer } from '../stack-pair.js';
import {
  echoRequest,
  FOREIGN_BYTE,
  ICMP,
  ICMPV6,
  ipPacket,
  type Packet,
  PEER4,
  PEER6,
  RawStack,
  STACK4,
  STACK6,
  TCP,
  tcpPacket,
  UDP,
  udpPacket,
} from './raw-stack.js';

const MAX_DATAGRAMS = 64;
const MAX_BYTES = 4 * 1024 * 1024;

/** Cuts the payload of an IPv4 packet into fragments of at most `part` bytes. */
function fragments4(packet: Uint8Array, part: number, id: number): Uint8Array[] {
  const payload = packet.subarray(20);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += part) {
    const data = payload.subarray(at, at + part);
    const piece = ipPacket(packet[9]!, data, { source: packet.subarray(12, 16), destination: packet.subarray(16, 20) });
    const view = new DataView(piece.buffer);
    view.setUint16(4, id);
    view.setUint16(6, (at >> 3) | (at + part < payload.length ? 0x2000 : 0));
    pieces.push(piece);
  }
  return pieces;
}

interface Piece {
  readonly version: 4 | 6;
  readonly id: number;
  readonly at: number;
  readonly length: number;
  readonly hasMore: boolean;
}

function viewOf({ version, id, at, length, hasMore }: Piece): IpView {
  const view = new IpView();
  view.version = version;
  view.protocol = UDP;
  view.isFragment = true;
  view.fragmentId = id;
  view.fragmentOffset = at;
  view.hasMoreFragments = hasMore;
  view.payloadAt = 0;
  view.payloadBytes = length;
  return view;
}

describe('fragments', () => {
  it('that overlap keep the first bytes for IPv4 and end the datagram for IPv6, as a byte array says (row 40, RFC 5722)', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new SeededRandom(seed);
      const version = random.chance(0.5) ? 4 : 6;
      const total = 8 * (2 + random.integer(20));
      const reassembler = new Reassembler();
      const model = new Int16Array(total).fill(-1);
      for (let step = 0; step < 40; step++) {
        const at = 8 * random.integer(total / 8);
        const length = Math.min(8 * (1 + random.integer(6)), total - at);
        const data = random.bytes(length);
        const isNew = model.subarray(at, at + length).every((byte) => byte < 0);
        const isRepeat = model.subarray(at, at + length).every((byte) => byte >= 0);
        const piece = { version, id: 1, at, length, hasMore: at + length < total } as const;

        const whole = reassembler.add(viewOf(piece), data, 0);

        if (version === 6 && !isNew && !isRepeat) {
          assert.equal(whole, undefined);
          assert.equal(reassembler.dropped, 1, `seed ${seed}`);
          break;
        }
        for (let i = 0; i < length; i++) if (model[at + i]! < 0) model[at + i] = data[i]!;
        if (whole === undefined) continue;
        assert.deepEqual([...whole], [...model], `seed ${seed}`);
        break;
      }
    }
  });

  it('with offsets, lengths and ends that lie never hold more than the bounds, nor outlive their time (row 40)', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = new SeededRandom(seed);
      const reassembler = new Reassembler();
      const data = new Uint8Array(65_535);
      for (let step = 0; step < 3_000; step++) {
        const length = random.chance(0.2) ? random.integer(3_000) : 8 * random.integer(200);
        const at = 8 * random.integer(8_192);
        const piece: Piece = {
          version: random.chance(0.5) ? 4 : 6,
          id: random.integer(200),
          at,
          length,
          hasMore: random.chance(0.8),
        };
        const whole = reassembler.add(viewOf(piece), data, step);
        assert.ok(whole === undefined || whole.length <= 65_535);
        assert.ok(reassembler.count <= MAX_DATAGRAMS, `seed ${seed}`);
        assert.ok(reassembler.bytes <= MAX_BYTES + 65_535, `seed ${seed}: ${reassembler.bytes} bytes`);
      }
      reassembler.expire(70_000);
      assert.deepEqual([reassembler.count, reassembler.bytes], [0, 0]);
    }
  });

  it('of a flood of first pieces, each of another datagram, do not stop a whole datagram (row 40)', () => {
    const stack = new RawStack();
    const endpoint = stack.stack.udp.bind(undefined, 53)!;
    for (let id = 0; id < 5_000; id++)
      stack.deliver(fragments4(udpPacket(1, 53, new Uint8Array(2_000)), 1_200, id)[0]!);

    stack.deliver(...fragments4(udpPacket(9, 53, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)), 8, 9_999));

    assert.deepEqual(endpoint.receive()?.data, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
  });
});

describe('lengths that lie', () => {
  /** Every packet as it is, and with each of its length fields at other values. */
  const packets = [
    echoRequest(7, 1, new Uint8Array(16)),
    echoRequest(7, 1, new Uint8Array(16), { source: PEER6 }),
    udpPacket(9, 1_234, new Uint8Array(16)),
    udpPacket(9, 1_234, new Uint8Array(16), { source: PEER6 }),
    tcpPacket({ flags: 2, seq: 1, options: [2, 4, 5, 100] }),
    tcpPacket({ flags: 16, seq: 1, ack: 1, data: new Uint8Array(16) }, { source: PEER6 }),
    ipPacket(99, new Uint8Array(16)),
    ipPacket(ICMP, Uint8Array.of(3, 3, 0, 0, 0, 0, 0, 0, 0x45, 0, 0xff, 0xff)),
    ipPacket(ICMPV6, Uint8Array.of(1, 4, 0, 0, 0, 0, 0, 0, 0x60), { source: PEER6 }),
  ];

  it('up or down are never answered with a byte that did not stand in the packet (row 41)', () => {
    for (const packet of packets) {
      const isIpv4 = packet[0]! >> 4 === 4;
      const fields = [isIpv4 ? 2 : 4, (isIpv4 ? 20 : 40) + 4];
      for (const field of fields)
        for (const value of [0, 1, 7, 8, 19, 20, 21, 28, 39, 40, 60, 61, 1_000, 0x7fff, 0xffff]) {
          const stack = new RawStack();
          stack.stack.udp.bind(undefined, 1_234);
          const copy = packet.slice();
          new DataView(copy.buffer).setUint16(field, value);
          stack.deliver(copy);
          for (const answer of stack.take()) {
            const isLeak = answer.bytes.subarray(-8).every((byte) => byte === FOREIGN_BYTE);
            assert.ok(!isLeak && answer.bytes.length <= packet.length + 48, `field ${field} = ${value}`);
          }
        }
      for (let length = 0; length < packet.length; length++) {
        const stack = new RawStack();
        stack.deliver(packet.slice(0, length));
        assert.deepEqual(stack.take(), [], `${length} bytes of ${packet.length}`);
      }
    }
  });

  it('in UDP are counted, and a datagram ends where its own length says (row 41)', () => {
    const stack = new RawStack();
    const endpoint = stack.stack.udp.bind(undefined, 1_234)!;
    for (const [length, bytes] of [
      [0, undefined],
      [7, undefined],
      [8, 0],
      [12, 4],
      [24, 16],
      [25, undefined],
      [0xffff, undefined],
    ] as const) {
      const packet = udpPacket(9, 1_234, new Uint8Array(16));
      new DataView(packet.buffer).setUint16(24, length);
      stack.deliver(packet);
      assert.equal(endpoint.receive()?.data.length, bytes, `length ${length}`);
    }
    assert.equal(stack.stack.udp.malformed, 4);
  });
});

describe('payload', () => {
  const lines = [
    'PORT 10,0,0,1,4,1\r\n',
    '227 Entering Passive Mode (10,0,0,2,200,1)\r\n',
    'PRIVMSG x :\u0001DCC SEND f 167772161 1024 9\u0001\r\n',
    '6193, 23\r\n',
  ];

  it('of protocols that name addresses and ports is carried as it is (row 42)', () => {
    for (const port of [21, 113, 194, 6_667]) {
      const text = Buffer.from(lines.join(''));
      const pair = new StackPair(port, { delayMs: 1 });
      let server: Transfer | undefined;
      pair.b.stack.tcp.listen(undefined, port);
      pair.b.onAccept = (flow) => {
        server = new Transfer(pair.b, flow, text);
        server.take();
      };
      const client = new Transfer(pair.a, pair.a.connect(port), text);
      assert.ok(pair.advanceUntil(() => client.isFinished && server!.isFinished, 10_000));
      assert.deepEqual([...client.bytes], [...text]);
      assert.deepEqual([...server!.bytes], [...text]);
    }
  });

  it('is no business of the stack: no file of it names a protocol above TCP and UDP (row 42)', () => {
    const files = readdirSync('src/netstack', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    assert.ok(files.length > 40);
    for (const name of files)
      assert.doesNotMatch(
        readFileSync(join('src/netstack', name), 'utf8'),
        /\b(FTP|IRC|DCC|IDENT|SIP|H\.323|ALG)\b/,
        name,
      );
  });
});

describe('a UDP port', () => {
  it('takes datagrams after any silence, and swallows none after it was closed (row 43)', () => {
    const stack = new RawStack({ acceptsAny: true });
    const taken: number[] = [];
    stack.stack.udp.onDatagram = ({ remotePort }) => taken.push(remotePort) > 0;
    const first = stack.stack.udp.bind(undefined, 5_300)!;
    first.remote = addressWords(Uint8Array.from(PEER4));
    first.remotePort = 9;
    stack.deliver(udpPacket(9, 5_300, [1]));
    stack.advance(24 * 3_600_000);
    stack.deliver(udpPacket(9, 5_300, [2]));
    assert.deepEqual([first.receive()?.data, first.receive()?.data], [Uint8Array.of(1), Uint8Array.of(2)]);

    stack.stack.udp.close(first);
    stack.deliver(udpPacket(9, 5_300, [3]));
    assert.deepEqual(taken, [9], 'the handler of unknown flows gets it');
    const second = stack.stack.udp.bind(undefined, 5_300)!;
    stack.deliver(udpPacket(9, 5_300, [4]));
    assert.deepEqual(second.receive()?.data, Uint8Array.of(4));
    assert.equal(first.receive(), undefined);
  });

  it('that is closed is answered once for each datagram, 1,000 times a second at the most (row 44)', () => {
    const stack = new RawStack();
    let answers = 0;
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 3_000; i++) {
        stack.deliver(udpPacket(9, 7, [1]));
        answers += stack.take().length;
      }
      assert.ok(answers > second && answers <= 1_000 * (second + 1), `${answers} answers`);
      stack.nowMs += 1_000;
    }
    assert.equal(stack.stack.hasOutput, false);
    assert.equal(stack.stack.nextDeadline(), Infinity);
  });

  it('whose datagrams are refused reports each refusal once, and goes on: nothing is sent by itself (row 44)', () => {
    const pair = new StackPair(1, { delayMs: 1 });
    const { a, b } = pair;
    const endpoint = a.stack.udp.bind(undefined, 5_000)!;
    endpoint.remote = b.address;
    endpoint.remotePort = 7;
    let errors = 0;
    for (let i = 0; i < 1_000; i++) {
      a.stack.udp.send(a.address, 5_000, b.address, 7, Uint8Array.of(i));
      a.pump();
      pair.advance(5);
      for (let source = a.stack.udp.takeEvent(); source !== undefined; source = a.stack.udp.takeEvent()) {
        if ((source.events & UdpEvent.Error) !== 0) errors++;
        source.events = 0;
      }
    }
    assert.equal(a.packets, 1_000);
    assert.ok(errors > 0 && errors <= 1_000, `${errors} errors`);
    a.stack.udp.send(a.address, 5_000, b.address, 7, Uint8Array.of(1));
    a.pump();
    assert.equal(a.packets, 1_001);
  });

  it('that nobody has is answered by port unreachable that quotes the datagram, for both families (row 45)', () => {
    for (const [source, own, protocol, type, code] of [
      [PEER4, STACK4, ICMP, 3, 3],
      [PEER6, STACK6, ICMPV6, 1, 4],
    ] as const) {
      const stack = new RawStack();
      const refused = udpPacket(40_000, 7, new SeededRandom(1).bytes(200), { source });
      stack.deliver(refused);

      const [answer, ...more] = stack.take();

      assert.deepEqual(more, []);
      assert.deepEqual([answer!.source, answer!.destination], [own.join('.'), source.join('.')]);
      assert.deepEqual([answer!.protocol, answer!.payload[0], answer!.payload[1]], [protocol, type, code]);
      assert.deepEqual(answer!.payload.subarray(8), refused, 'all of it: it is short');
      assert.ok(protocol === ICMP || isValid6(answer!));
    }
  });

  it('of the sender is found by what is quoted: the port that is connected learns of the refusal (row 45)', () => {
    const pair = new StackPair(1, { delayMs: 1 });
    const { a, b } = pair;
    const connected = a.stack.udp.bind(undefined, 5_000)!;
    connected.remote = b.address;
    connected.remotePort = 7;
    const other = a.stack.udp.bind(undefined, 5_001)!;
    a.stack.udp.send(a.address, 5_000, b.address, 7, Uint8Array.of(1));
    a.stack.udp.send(a.address, 5_001, b.address, 7, Uint8Array.of(1));
    a.pump();
    pair.advance(10);
    assert.deepEqual([connected.error, other.error], ['refused', undefined]);
  });
});

function isValid6({ bytes }: Packet): boolean {
  return hasValidTransportChecksum(bytes, 0, ICMPV6, 40, bytes.length - 40);
}

describe('each packet', () => {
  it('leaves exactly once, whichever call made it, over both families and any batch size (rows 46, 59)', () => {
    for (const outputRows of [1, 2, 512])
      for (const [own, peer] of [
        [STACK4, PEER4],
        [STACK6, PEER6],
      ] as const) {
        const stack = new RawStack({ outputRows });
        const [source, destination] = [addressWords(Uint8Array.from(own)), addressWords(Uint8Array.from(peer))];
        const { udp, tcp, icmp } = stack.stack;
        const calls: readonly (readonly [string, number, () => void])[] = [
          ['UDP to a peer', 1, () => udp.send(source, 9, destination, 53, Uint8Array.of(1))],
          ['UDP in fragments', 3, () => udp.send(source, 9, destination, 53, new Uint8Array(3_500))],
          ['ping', 1, () => icmp.ping(source, destination, 1, 1, Uint8Array.of(1))],
          ['echo reply', 1, () => stack.deliver(echoRequest(1, 1, [1], { source: peer }))],
          ['port unreachable', 1, () => stack.deliver(udpPacket(9, 7, [1], { source: peer }))],
          ['SYN', 1, () => tcp.connect(source, destination, 80, stack.nowMs)],
          ['RST', 1, () => stack.deliver(tcpPacket({ flags: 16, seq: 1, ack: 1, sport: 9 }, { source: peer }))],
        ];
        for (const [name, count, call] of calls) {
          call();
          assert.equal(stack.take().length, count, `${name}, ${outputRows} rows`);
          assert.deepEqual([stack.take().length, stack.stack.hasOutput], [0, false], name);
        }
      }
  });

  it('of a connection carries each byte once while nothing is lost (row 46)', () => {
    for (const isIpv6 of [false, true]) {
      const pair = new StackPair(1, { delayMs: 5 }, { isIpv6 });
      const seen = new Map<number, number>();
      let server: Transfer | undefined;
      pair.b.stack.tcp.listen(undefined, 80);
      pair.b.onAccept = (flow) => {
        server = new Transfer(pair.b, flow, new Uint8Array(0));
        server.take();
      };
      const at = isIpv6 ? 40 : 20;
      pair.a.conditions = {
        delayMs: 5,
        filter: (packet) => {
          const headerBytes = at + (packet[at + 12]! >> 4) * 4;
          const sequence = new DataView(packet.buffer).getInt32(at + 4);
          if (packet.length > headerBytes) seen.set(sequence, (seen.get(sequence) ?? 0) + 1);
          return true;
        },
      };
      new Transfer(pair.a, pair.a.connect(80), pair.random.bytes(300_000));
      assert.ok(pair.advanceUntil(() => server?.isFinished === true, 60_000));
      assert.ok(seen.size > 200 && [...seen.values()].every((count) => count === 1));
    }
  });
});

describe('echo requests', () => {
  it('of 1,000 pings are answered once each, and those that stay unanswered leave nothing in the stack (row 47)', () => {
    const pair = new StackPair(1, { delayMs: 5 });
    pair.a.conditions = { delayMs: 5, filter: (_, number) => number % 2 === 0 };
    for (let i = 0; i < 1_000; i++) {
      pair.a.stack.icmp.ping(pair.a.address, pair.b.address, i, i, Uint8Array.of(i));
      pair.a.pump();
    }
    pair.advance(1_000);
    const { replies } = pair.a.stack.icmp;
    assert.equal(replies.length, 500);
    assert.equal(new Set(replies.map((reply) => reply.identifier)).size, 500);
    assert.deepEqual([pair.a.stack.hasOutput, pair.a.stack.nextDeadline()], [false, Infinity]);
  });

  it('wait for nothing: TCP and UDP go on while 10,000 of them come in (row 47)', () => {
    const stack = new RawStack();
    const endpoint = stack.stack.udp.bind(undefined, 53)!;
    for (let i = 0; i < 10_000; i++) stack.deliver(echoRequest(1, i, new Uint8Array(1_000)));
    stack.deliver(udpPacket(9, 53, [1]));
    stack.deliver(tcpPacket({ flags: 2, seq: 1 }));
    assert.deepEqual(endpoint.receive()?.data, Uint8Array.of(1));
    const answers = stack.take();
    assert.equal(answers.filter(({ protocol }) => protocol === TCP).length, 1);
    assert.ok(answers.length < 1_000, 'what the queue had no room for was dropped');
  });
});

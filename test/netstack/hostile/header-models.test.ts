import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { IpProblem, IpView } from '../../../src/netstack/ip/ip-view.js';
import { SYN, TcpSegment } from '../../../src/netstack/tcp/tcp-segment.js';
import { type Extension, FRAGMENT, ipPacket, tcpSegment, UDP, udpDatagram } from './packets.js';

interface Options {
  mss: number;
  shift: number;
  hasSack: boolean;
  stamps: readonly [number, number] | undefined;
  sacks: readonly number[];
}

/** RFC 9293 §3.1, RFC 7323, RFC 2018, word for word: a list of options, of which the last of a kind counts. */
function readOptions(bytes: readonly number[], isSyn: boolean): Options {
  const found: Options = { mss: -1, shift: -1, hasSack: false, stamps: undefined, sacks: [] };
  let rest = bytes.slice();
  while (rest.length > 0 && rest[0] !== 0) {
    if (rest[0] === 1) {
      rest = rest.slice(1);
      continue;
    }
    const [kind, length = 0] = rest;
    if (length < 2 || length > rest.length) break;
    noteOption(found, kind!, rest.slice(2, length), isSyn);
    rest = rest.slice(length);
  }
  return found;
}

function noteOption(found: Options, kind: number, value: readonly number[], isSyn: boolean): void {
  const number = (at: number): number => new DataView(Uint8Array.from(value).buffer).getInt32(at);
  if (kind === 2 && value.length === 2 && isSyn) found.mss = value[0]! * 256 + value[1]!;
  if (kind === 3 && value.length === 1 && isSyn) found.shift = Math.min(value[0]!, 14);
  if (kind === 4 && value.length === 0 && isSyn) found.hasSack = true;
  if (kind === 8 && value.length === 8) found.stamps = [number(0), number(4)];
  if (kind === 5 && value.length % 8 === 0)
    found.sacks = Array.from({ length: Math.min(value.length / 4, 8) }, (_, i) => number(4 * i));
}

function checkOptions(options: readonly number[], flags: number): void {
  const padded = [...options, ...Array<number>((40 - options.length) % 4).fill(0)];
  const bytes = tcpSegment('IPv4', { flags, options: padded, data: [1, 2, 3] });
  const segment = new TcpSegment();
  assert.ok(segment.read(bytes, 0, bytes.length));
  assert.equal(segment.dataBytes, 3);
  const expected = readOptions(padded, (flags & SYN) !== 0);
  assert.equal(segment.mss, expected.mss);
  assert.equal(segment.windowShift, expected.shift);
  assert.equal(segment.isSackPermitted, expected.hasSack);
  const stamps = segment.hasTimestamps ? [segment.timestampValue, segment.timestampEcho] : undefined;
  assert.deepEqual(stamps, expected.stamps);
  assert.deepEqual([...segment.sacks.subarray(0, 2 * segment.sackCount)], expected.sacks);
}

describe('TCP options (row 21)', () => {
  it('are read for every kind with every length, in front of another and at the end', () => {
    for (const flags of [SYN, 16])
      for (let kind = 0; kind < 256; kind++)
        for (let length = 0; length <= 41; length++) {
          const option = [kind, length, ...Array.from({ length: 14 }, (_, i) => i + 1)].slice(0, Math.max(length, 2));
          checkOptions([...option, 2, 4, 5, 6].slice(0, 40), flags);
          checkOptions([...Array<number>(Math.max(38 - length, 0)).fill(1), ...option].slice(0, 40), flags);
        }
  });

  it('are what a plain list of them says, for any bytes', () => {
    const option = fc.oneof(
      fc.constantFrom([0], [1], [2, 4, 5, 100], [3, 3, 200], [4, 2], [8, 10, 1, 2, 3, 4, 250, 6, 7, 8]),
      fc.nat(4).map((n) => [5, 2 + 8 * n, ...Array.from({ length: 8 * n }, (_, i) => i)]),
      fc.array(fc.nat(255), { maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(option, { maxLength: 8 }), fc.constantFrom(SYN, 16, SYN | 16), (list, flags) =>
        checkOptions(list.flat().slice(0, 40), flags),
      ),
      { numRuns: 5_000 },
    );
  });

  it('end where the header ends, for every length of it', () => {
    const segment = new TcpSegment();
    const bytes = tcpSegment('IPv4', { flags: SYN, options: Array<number>(40).fill(1), data: [1] });
    for (let words = 0; words < 16; words++)
      for (let length = 0; length <= bytes.length; length++) {
        bytes[12] = words << 4;
        const isSegment = segment.read(bytes, 0, length);
        assert.equal(isSegment, length >= 20 && words >= 5 && 4 * words <= length, `${words} words of ${length} bytes`);
        if (isSegment) assert.equal(segment.dataBytes, length - 4 * words);
      }
  });
});

describe('IPv6 extension headers (RFC 8200 §4)', () => {
  const MOST_HEADERS = 7;
  const kinds = fc.constantFrom(0, 43, 60);
  const header: fc.Arbitrary<Extension> = fc
    .tuple(kinds, fc.nat(3), fc.uint8Array({ minLength: 38, maxLength: 38 }))
    .map(([protocol, units, filler]) => {
      const rest = Uint8Array.from([units, ...filler]).subarray(0, 7 + 8 * units);
      if (protocol === 43) rest[2] = 0; // no segments left
      return { protocol, rest };
    });
  const chains = fc.array(header, { maxLength: MOST_HEADERS });

  it('are stepped over, up to the transport header, and no cut is taken for one', () => {
    const view = new IpView();
    fc.assert(
      fc.property(chains, fc.boolean(), (chain, isAtomic) => {
        const atomic = { protocol: FRAGMENT, rest: Uint8Array.of(0, 0, 0, 0, 0, 0, 1) };
        const extensions = isAtomic ? [...chain, atomic] : chain;
        const datagram = udpDatagram('IPv6', [1, 2, 3]);
        const packet = ipPacket('IPv6', UDP, datagram, { extensions });
        const headers = packet.length - datagram.length;

        assert.equal(view.read(packet, 0, packet.length), IpProblem.Ok);
        assert.deepEqual([view.protocol, view.payloadAt, view.payloadBytes], [UDP, headers, datagram.length]);
        assert.equal(view.isFragment, false);

        for (let length = 40; length < headers; length++) {
          packet.set([(length - 40) >> 8, (length - 40) & 255], 4);
          const problem = view.read(packet, 0, length);
          // A cut at the end of a header leaves the next one, of no bytes.
          const isNoHeader = problem === IpProblem.Ok && view.payloadBytes === 0 && view.protocol === UDP;
          assert.ok(problem === IpProblem.Malformed || isNoHeader, `${length} of ${headers} bytes of headers`);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are refused with segments left, and in a chain of more than eight', () => {
    const view = new IpView();
    const routing = { protocol: 43, rest: Uint8Array.of(0, 0, 1, 0, 0, 0, 0) };
    const routed = ipPacket('IPv6', UDP, udpDatagram('IPv6', []), { extensions: [routing] });
    assert.equal(view.read(routed, 0, routed.length), IpProblem.Refused);
    const padding = { protocol: 60, rest: Uint8Array.of(0, 1, 4, 0, 0, 0, 0) };
    for (let count = 0; count < 200; count++) {
      const long = ipPacket('IPv6', UDP, udpDatagram('IPv6', []), { extensions: Array(count).fill(padding) });
      assert.equal(view.read(long, 0, long.length), count < 8 ? IpProblem.Ok : IpProblem.Malformed, `${count}`);
    }
  });
});

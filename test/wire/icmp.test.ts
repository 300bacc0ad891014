import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { UNREACHABLE_MAX_BYTES, writeUnreachable } from '../../src/wire/icmp.js';
import { internetChecksum, ipPacket, udpDatagram } from './ip-packet.js';

const FOUR = { source: address4('10.0.0.1'), destination: address4('192.0.2.9'), protocol: 17 };
const SIX = { source: address6(0xfd, 1), destination: address6(0x20, 9), protocol: 17 };

describe('writeUnreachable', () => {
  it('answers IPv4 with "host unreachable", from the destination to the source (RFC 792)', () => {
    const packet = ipPacket({ ...FOUR, payload: udpDatagram(1, 2, new Uint8Array(5)) });
    const answer = answerTo(packet);

    assert.deepEqual([answer[0], answer[9]], [0x45, 1], 'IPv4 without options, ICMP');
    assert.equal((answer[2] << 8) | answer[3], answer.length);
    assert.deepEqual(answer.slice(12, 16), FOUR.destination);
    assert.deepEqual(answer.slice(16, 20), FOUR.source);
    assert.deepEqual([...answer.slice(20, 22)], [3, 1], 'type and code');
    assert.deepEqual([...answer.slice(24, 28)], [0, 0, 0, 0]);
    assert.deepEqual(answer.slice(28), packet, 'quotes the packet');
    assert.equal(internetChecksum(answer.slice(0, 20)), 0);
    assert.equal(internetChecksum(answer.slice(20)), 0);
  });

  it('answers IPv6 with "address unreachable", from the destination to the source (RFC 4443 §3.1)', () => {
    const packet = ipPacket({ ...SIX, payload: udpDatagram(1, 2, new Uint8Array(5)) });
    const answer = answerTo(packet);

    assert.deepEqual([answer[0], answer[6]], [0x60, 58], 'IPv6, ICMPv6');
    assert.equal((answer[4] << 8) | answer[5], answer.length - 40);
    assert.deepEqual(answer.slice(8, 24), SIX.destination);
    assert.deepEqual(answer.slice(24, 40), SIX.source);
    assert.deepEqual([...answer.slice(40, 42)], [1, 3], 'type and code');
    assert.deepEqual(answer.slice(48), packet, 'quotes the packet');
    assert.equal(icmpv6Checksum(answer), 0);
  });

  it('quotes no more than fits into 576 bytes (RFC 1812 §4.3.2.3) or 1,280 (RFC 4443 §2.4 c)', () => {
    for (const length of [520, 548, 549, 1_231, 1_232, 1_233, 1_500, 9_000]) {
      const payload = Uint8Array.from({ length }, (_, i) => i * 7);
      const four = answerTo(ipPacket({ ...FOUR, payload }));
      assert.equal(four.length, Math.min(576, length + 20 + 28));
      assert.equal(internetChecksum(four.slice(20)), 0);
      const six = answerTo(ipPacket({ ...SIX, payload }));
      assert.equal(six.length, Math.min(1_280, length + 40 + 48));
      assert.equal(icmpv6Checksum(six), 0);
    }
  });

  it('does not quote the padding behind a packet', () => {
    const packet = ipPacket({ ...FOUR, payload: new Uint8Array(9) });
    const withPadding = new Uint8Array(packet.length + 7).fill(0xee);
    withPadding.set(packet);
    assert.deepEqual(answerTo(withPadding), answerTo(packet));
  });

  it('reads and writes at the offsets, and writes over what was there', () => {
    const packet = ipPacket({ ...SIX, payload: new Uint8Array(9) });
    const bytes = new Uint8Array(100);
    bytes.set(packet, 13);
    const out = new Uint8Array(UNREACHABLE_MAX_BYTES + 10).fill(0xee);

    const length = writeUnreachable(bytes, 13, packet.length, out, 5);
    assert.deepEqual(out.slice(5, 5 + length), answerTo(packet));
    assert.ok(out.subarray(0, 5).every((byte) => byte === 0xee));
    assert.ok(out.subarray(5 + length).every((byte) => byte === 0xee));
  });

  for (const type of [3, 4, 5, 11, 12])
    it(`is silent about an ICMP error of type ${type} (RFC 1122 §3.2.2)`, () => {
      assertSilent(ipPacket({ ...FOUR, protocol: 1, payload: Uint8Array.of(type, ...new Array(7).fill(0)) }));
    });

  for (const type of [0, 1, 4, 127, 137])
    it(`is silent about an ICMPv6 error or redirect of type ${type} (RFC 4443 §2.4 e)`, () => {
      assertSilent(ipPacket({ ...SIX, protocol: 58, payload: Uint8Array.of(type, ...new Array(7).fill(0)) }));
    });

  it('answers a ping', () => {
    const rest = new Array(7).fill(0);
    assert.ok(answerTo(ipPacket({ ...FOUR, protocol: 1, payload: Uint8Array.of(8, ...rest) })).length > 0);
    assert.ok(answerTo(ipPacket({ ...SIX, protocol: 58, payload: Uint8Array.of(128, ...rest) })).length > 0);
  });

  it('does not answer ICMP that is too short to show its type', () => {
    assertSilent(ipPacket({ ...FOUR, protocol: 1, payload: new Uint8Array(7).fill(8) }));
    assertSilent(ipPacket({ ...SIX, protocol: 58, payload: new Uint8Array(7).fill(128) }));
  });

  it('finds an ICMP error behind IPv4 options', () => {
    const payload = Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0);
    assertSilent(ipPacket({ ...FOUR, protocol: 1, options: new Uint8Array(12).fill(8), payload }));
  });

  it('answers the first fragment only (RFC 1122 §3.2.2)', () => {
    const payload = new Uint8Array(16);
    assert.ok(answerTo(ipPacket({ ...FOUR, payload, fragment: 0x2000 })).length > 0);
    assertSilent(ipPacket({ ...FOUR, payload, fragment: 0x0001 }));
    assertSilent(ipPacket({ ...FOUR, payload, fragment: 0x2100 }));

    assert.ok(answerTo(fragment6(17, 0x0001, payload)).length > 0);
    assertSilent(fragment6(17, 0x0008, payload));
    assertSilent(fragment6(17, 0xfff9, payload));
  });

  it('finds an ICMPv6 error in a first fragment', () => {
    assertSilent(fragment6(58, 0x0001, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)));
    assert.ok(answerTo(fragment6(58, 0x0001, Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0))).length > 0);
    assertSilent(ipPacket({ ...SIX, protocol: 44, payload: new Uint8Array(7) }), 'cut in the fragment header');
  });

  it('is silent where an ICMPv6 error could hide behind another header', () => {
    for (const protocol of [0, 43, 51, 60]) {
      assertSilent(ipPacket({ ...SIX, protocol, payload: new Uint8Array(24) }));
      assertSilent(fragment6(protocol, 0x0001, new Uint8Array(24)));
    }
    assertSilent(fragment6(44, 0x0001, new Uint8Array(24)));
  });

  for (const text of ['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.1', '239.1.2.3', '240.0.0.1', '255.255.255.255'])
    it(`is silent about ${text} as source or destination (RFC 1122 §3.2.2)`, () => {
      assertSilent(ipPacket({ ...FOUR, source: address4(text) }));
      assertSilent(ipPacket({ ...FOUR, destination: address4(text) }));
    });

  for (const [name, address] of [
    ['::', address6(0, 0)],
    ['::1', address6(0, 1)],
    ['ff02::1', address6(0xff, 1)],
  ] as const)
    it(`is silent about ${name} as source or destination (RFC 4443 §2.4 e)`, () => {
      assertSilent(ipPacket({ ...SIX, source: address }));
      assertSilent(ipPacket({ ...SIX, destination: address }));
    });

  it('never throws, whatever the bytes, and answers only what is an IP packet', () => {
    const out = new Uint8Array(UNREACHABLE_MAX_BYTES);
    const head = fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0x00, 0xff);
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 90 }), (first, rest) => {
        const bytes = Uint8Array.of(first, 0, 0, rest[0] ?? 0, 0, 0, ...rest);
        const length = writeUnreachable(bytes, 0, bytes.length, out, 0);
        assert.ok(length === 0 || length <= bytes.length + 48);
      }),
      { numRuns: 2_000 },
    );
  });
});

function answerTo(packet: Uint8Array): Uint8Array {
  const out = new Uint8Array(UNREACHABLE_MAX_BYTES).fill(0xee);
  return out.slice(0, writeUnreachable(packet, 0, packet.length, out, 0));
}

function assertSilent(packet: Uint8Array, message?: string): void {
  const out = new Uint8Array(UNREACHABLE_MAX_BYTES);
  assert.equal(writeUnreachable(packet, 0, packet.length, out, 0), 0, message);
  assert.ok(
    out.every((byte) => byte === 0),
    'nothing is written',
  );
}

/** RFC 4443 §2.3: over the pseudo-header and the message. */
function icmpv6Checksum(packet: Uint8Array): number {
  const length = packet.length - 40;
  const pseudoHeader = Uint8Array.of(...packet.slice(8, 40), 0, 0, length >> 8, length & 0xff, 0, 0, 0, 58);
  return internetChecksum(pseudoHeader, packet.slice(40));
}

/** RFC 8200 §4.5. @param offsetAndFlags 13 bits of offset, two of zero, "more fragments". */
function fragment6(nextHeader: number, offsetAndFlags: number, payload: Uint8Array): Uint8Array {
  const header = [nextHeader, 0, offsetAndFlags >> 8, offsetAndFlags & 0xff, 0, 0, 0, 1];
  return ipPacket({ ...SIX, protocol: 44, payload: Uint8Array.of(...header, ...payload) });
}

function address4(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number);
}

function address6(first: number, last: number): Uint8Array {
  const address = new Uint8Array(16);
  address[0] = first;
  address[15] = last;
  return address;
}

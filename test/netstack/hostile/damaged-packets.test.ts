import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { Host } from './host.js';
import {
  checksum,
  type Family,
  HOST,
  half,
  ICMP,
  icmpMessage,
  icmpProtocol,
  ipPacket,
  PEER,
  UDP,
  udpDatagram,
  unreachable,
  wholePackets,
} from './packets.js';

/** Sets the lengths of the IP header to what is there, so that only the parsers behind it see the cut. */
function withStatedLength(cut: Uint8Array): Uint8Array {
  const packet = cut.slice();
  if (packet[0]! >> 4 === 4) packet.set(half(packet.length), 2);
  else packet.set(half(packet.length - 40), 4);
  return packet;
}

describe('a packet that was cut off', () => {
  for (const [name, packet] of wholePackets()) {
    it(`is malformed at every length, if its header says that there was more: ${name}`, () => {
      const host = new Host();
      for (let length = 1; length < packet.length; length++)
        assert.deepEqual(host.reasons(packet.slice(0, length)), ['malformed'], `${length} bytes`);
    });

    it(`counts once at the most, if its header says that this is all: ${name}`, () => {
      const host = new Host();
      for (let length = packet[0]! >> 4 === 4 ? 20 : 40; length < packet.length; length++)
        assert.ok(host.reasons(withStatedLength(packet.slice(0, length))).length <= 1, `${length} bytes`);
      assert.ok(host.isAlive('IPv4') && host.isAlive('IPv6'));
    });
  }
});

describe('a packet with a flipped bit', () => {
  for (const family of ['IPv4', 'IPv6'] as const)
    it(`brings the program the same bytes or none, where checksums are tested: ${family}`, () => {
      const data = [1, 2, 3, 4, 5, 6, 7];
      const packet = ipPacket(family, UDP, udpDatagram(family, data));
      for (let bit = 0; bit < 8 * packet.length; bit++) {
        const host = new Host({ verifiesChecksums: true });
        const flipped = packet.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const reasons = host.reasons(flipped);
        const datagrams = host.takeDatagrams();
        assert.ok(reasons.length <= 1, `bit ${bit}: ${reasons}`);
        for (const datagram of datagrams) assert.deepEqual([...datagram], data, `bit ${bit}`);
        // IPv6 leaves its own header to the checksum of the transport, which covers the addresses and the length.
        if (datagrams.length > 0) assert.ok(family === 'IPv6' && bit < 64, `bit ${bit} went unseen`);
        else if (family === 'IPv4') assert.equal(reasons.length, 1, `bit ${bit} is not counted`);
      }
    });
});

describe('UDP', () => {
  for (const family of ['IPv4', 'IPv6'] as const)
    it(`is taken with a length from 8 to what is there, and with no other: ${family} (rows 41, 45)`, () => {
      const data = [1, 2, 3, 4, 5, 6];
      for (let length = 0; length <= 40; length++) {
        const host = new Host();
        const datagram = udpDatagram(family, data);
        datagram.set(half(length), 4);
        const reasons = host.reasons(ipPacket(family, UDP, datagram));
        const isTaken = length >= 8 && length <= datagram.length;
        assert.deepEqual(reasons, isTaken ? [] : ['udp'], `length ${length}`);
        const taken = host.takeDatagrams().map((bytes) => [...bytes]);
        assert.deepEqual(taken, isTaken ? [data.slice(0, length - 8)] : [], `length ${length}`);
      }
    });

  it('keeps a bounded number of datagrams for a program that reads none, also empty ones', () => {
    const host = new Host();
    const packet = ipPacket('IPv4', UDP, udpDatagram('IPv4', []));
    for (let i = 0; i < 10_000; i++) host.deliver(packet);
    assert.ok(host.udp.dropped > 5_000, `${host.udp.dropped} dropped`);
  });
});

describe('ICMP errors', () => {
  for (const family of ['IPv4', 'IPv6'] as const) {
    const datagram = udpDatagram(family, [1, 2, 3, 4]);
    // The stack's port 80 is connected to the peer's port 5,000, and sent this.
    const sent = [...half(80), ...half(5_000), ...datagram.subarray(4)];
    const quoted = ipPacket(family, UDP, Uint8Array.from(sent), { isReply: true });
    const headerBytes = quoted.length - datagram.length;
    const refusal = (quote: Uint8Array): Uint8Array =>
      ipPacket(family, icmpProtocol(family), unreachable(family, quote));
    const connected = (): Host => {
      const host = new Host();
      host.udp.remote = host.stack.addresses[family === 'IPv4' ? 0 : 1]!.slice();
      host.udp.remote[3]!--;
      host.udp.remotePort = 5_000;
      return host;
    };

    it(`count from the first eight bytes of a transport header on: ${family} (RFC 792)`, () => {
      for (let length = 0; length <= quoted.length; length++) {
        const host = connected();
        const reasons = host.reasons(refusal(quoted.slice(0, length)));
        const isEnough = length >= headerBytes + 8;
        assert.deepEqual(reasons, isEnough ? [] : ['icmp'], `${length} bytes quoted`);
        assert.equal(host.udp.error, isEnough ? 'refused' : undefined, `${length} bytes quoted`);
      }
    });

    it(`may quote anything: ${family}`, () => {
      const host = connected();
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer({ min: 0, max: 255 }), (bytes, first) => {
          const quote = Uint8Array.from([first, ...bytes]);
          assert.ok(host.reasons(refusal(quote)).length <= 1);
        }),
        { numRuns: 2_000 },
      );
      assert.ok(host.isAlive(family));
    });
  }

  it('are judged by the header length that they quote: each value of it, with each number of bytes', () => {
    const quoted = ipPacket('IPv4', UDP, Uint8Array.from([...half(80), ...half(5_000), 0, 12, 0, 0, 1, 2, 3, 4]), {
      options: new Uint8Array(40),
      isReply: true,
    });
    for (let words = 0; words < 16; words++)
      for (let length = 20; length <= quoted.length; length++) {
        const host = new Host();
        quoted[0] = 0x40 | words;
        const message = icmpMessage('IPv4', 3, 3, [0, 0, 0, 0, ...quoted.subarray(0, length)]);
        const reasons = host.reasons(ipPacket('IPv4', ICMP, message));
        const isEnough = words >= 5 && length >= 4 * words + 8;
        assert.deepEqual(reasons, isEnough ? [] : ['icmp'], `${words} words, ${length} bytes`);
      }
  });
});

describe('arbitrary bytes', () => {
  const families: readonly Family[] = ['IPv4', 'IPv6'];
  /** A header that is nearly right, and anything behind it. */
  const packets = fc
    .record({
      family: fc.constantFrom(...families),
      protocol: fc.oneof(fc.constantFrom(0, 1, 6, 17, 43, 44, 51, 58, 59, 60), fc.nat(255)),
      payload: fc.uint8Array({ maxLength: 200 }),
      damage: fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 }),
      isTransportValid: fc.boolean(),
    })
    .map(({ family, protocol, payload, damage, isTransportValid }) => {
      if (isTransportValid && protocol === UDP && payload.length >= 8) {
        payload.set(half(payload.length), 4);
        payload.set([0, 0], 6);
        const pseudo = [...PEER[family], ...HOST[family], 0, 0, ...half(payload.length), 0, 0, 0, UDP];
        payload.set(half(checksum(pseudo, payload) || 0xffff), 6);
      }
      const packet = ipPacket(family, protocol, payload);
      for (const [at, value] of damage) packet[at % packet.length] = value;
      return packet;
    });

  for (const verifiesChecksums of [false, true])
    it(`never throw, count once at the most, and leave a stack that answers; checksums ${verifiesChecksums ? '' : 'not '}tested`, () => {
      const host = new Host({ verifiesChecksums });
      fc.assert(
        fc.property(packets, (packet) => {
          assert.ok(host.reasons(packet).length <= 1);
          host.takeDatagrams();
        }),
        { numRuns: 5_000 },
      );
      host.nowMs += 61_000;
      for (const family of families) assert.ok(host.isAlive(family), family);
      assert.equal(host.stack.pool.usedBytes, 0);
    });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import * as ipHeader from '../../src/wire/ip-header.js';
import { internetChecksum, ipPacket, type PacketFields, udpDatagram } from './ip-packet.js';

const FOUR = { source: Uint8Array.of(10, 0, 0, 1), destination: Uint8Array.of(10, 0, 0, 2), protocol: 17 };
const SIX = {
  source: Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i),
  destination: Uint8Array.from({ length: 16 }, (_, i) => 0x20 + i),
  protocol: 17,
};
const FAMILIES = [
  ['IPv4', FOUR, 20, 4],
  ['IPv6', SIX, 40, 6],
] as const;

describe('checkIpPacket', () => {
  for (const [name, fields, headerBytes, version] of FAMILIES) {
    it(`takes an ${name} packet with or without padding behind it`, () => {
      const packet = ipPacket({ ...fields, payload: new Uint8Array(9) });
      assert.equal(ipHeader.checkIpPacket(packet, 0, packet.length), version);
      assert.equal(ipHeader.checkIpPacket(padded(packet, 7), 0, packet.length + 7), version);
      assert.equal(ipHeader.packetBytes(packet, 0), headerBytes + 9);
    });

    it(`refuses an ${name} packet that is cut anywhere`, () => {
      const packet = ipPacket({ ...fields, payload: new Uint8Array(9) });
      for (let length = 0; length < packet.length; length++)
        assert.equal(ipHeader.checkIpPacket(packet.slice(0, length), 0, length), 0, `${length} bytes`);
    });

    it(`refuses an ${name} packet that states more bytes than there are`, () => {
      const packet = ipPacket(fields);
      packet[version === 4 ? 3 : 5]++;
      assert.equal(ipHeader.checkIpPacket(packet, 0, packet.length), 0);
      assert.equal(ipHeader.checkIpPacket(padded(packet, 1), 0, packet.length + 1), version);
    });
  }

  it('refuses an IPv4 packet that states fewer bytes than its header has', () => {
    const packet = ipPacket(FOUR);
    packet[3] = 19;
    assert.equal(ipHeader.checkIpPacket(packet, 0, packet.length), 0);

    const withOptions = ipPacket({ ...FOUR, options: new Uint8Array(8) });
    assert.equal(ipHeader.checkIpPacket(withOptions, 0, withOptions.length), 4);
    withOptions[3] = 27;
    assert.equal(ipHeader.checkIpPacket(withOptions, 0, withOptions.length), 0);
  });

  it('refuses an IPv4 header of less than 20 bytes', () => {
    const packet = ipPacket(FOUR);
    packet[0] = 0x44;
    assert.equal(ipHeader.checkIpPacket(packet, 0, packet.length), 0);
  });

  it('knows no version but 4 and 6', () => {
    for (let version = 0; version < 16; version++) {
      const bytes = new Uint8Array(60);
      bytes[0] = (version << 4) | 5;
      bytes[3] = 60;
      const expected = version === 4 || version === 6 ? version : 0;
      assert.equal(ipHeader.checkIpPacket(bytes, 0, bytes.length), expected);
    }
  });

  it('never throws, and what it passes can be read within its length', () => {
    fc.assert(
      fc.property(arbitraryPacket(), (bytes) => {
        const version = ipHeader.checkIpPacket(bytes, 0, bytes.length);
        if (version === 0) return;
        assert.equal(ipHeader.ipVersion(bytes, 0), version);
        assert.ok(ipHeader.packetBytes(bytes, 0) <= bytes.length);
        const udpAt = ipHeader.udpHeaderAt(bytes, 0);
        assert.ok(udpAt === -1 || udpAt + 8 <= ipHeader.packetBytes(bytes, 0));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('trafficClass and setEcn', () => {
  for (const [name, fields] of FAMILIES) {
    it(`reads the whole ${name} byte`, () => {
      for (let trafficClass = 0; trafficClass < 256; trafficClass++)
        assert.equal(ipHeader.trafficClass(ipPacket({ ...fields, trafficClass }), 0), trafficClass);
    });

    it(`sets the two ECN bits of ${name}, mends the checksum, and changes nothing else (RFC 3168 §5)`, () => {
      for (let trafficClass = 0; trafficClass < 256; trafficClass++)
        for (let ecn = 0; ecn < 4; ecn++) {
          const packet = padded(ipPacket({ ...fields, trafficClass }), 3);
          ipHeader.setEcn(packet, 0, ecn);
          const expected = ipPacket({ ...fields, trafficClass: (trafficClass & 0xfc) | ecn });
          assert.deepEqual(packet, padded(expected, 3), `${trafficClass}, ${ecn}`);
        }
    });
  }

  it('keeps the IPv4 header checksum right for any header', () => {
    const anyFields = fc.record({
      source: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      destination: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      protocol: fc.nat({ max: 255 }),
      trafficClass: fc.nat({ max: 255 }),
      fragment: fc.nat({ max: 0xffff }),
    });
    fc.assert(
      fc.property(anyFields, fc.nat({ max: 3 }), fc.nat({ max: 9 }), (fields: PacketFields, ecn, at) => {
        const bytes = new Uint8Array(40);
        bytes.set(ipPacket(fields), at);
        ipHeader.setEcn(bytes, at, ecn);
        assert.equal(internetChecksum(bytes.subarray(at, at + 20)), 0);
      }),
    );
  });

  it('leaves a wrong IPv4 checksum wrong', () => {
    const packet = ipPacket(FOUR);
    packet[10] ^= 0x55;
    ipHeader.setEcn(packet, 0, 3);
    assert.notEqual(internetChecksum(packet), 0);
  });
});

describe('udpHeaderAt', () => {
  for (const [name, fields, headerBytes] of FAMILIES) {
    it(`finds the ports of UDP over ${name}`, () => {
      const packet = ipPacket({ ...fields, payload: udpDatagram(51_820, 40_000, new Uint8Array(3)) });
      const bytes = new Uint8Array(200);
      bytes.set(packet, 11);
      const udpAt = ipHeader.udpHeaderAt(bytes, 11);
      assert.equal(udpAt, 11 + headerBytes);
      assert.equal(ipHeader.udpSourcePort(bytes, udpAt), 51_820);
      assert.equal(ipHeader.udpDestinationPort(bytes, udpAt), 40_000);
    });

    it(`finds none in ${name} that carries something else, or ends before the UDP header does`, () => {
      const tcp = ipPacket({ ...fields, protocol: 6, payload: new Uint8Array(40) });
      const short = padded(ipPacket({ ...fields, payload: new Uint8Array(7) }), 9);
      assert.equal(ipHeader.udpHeaderAt(tcp, 0), -1);
      assert.equal(ipHeader.udpHeaderAt(short, 0), -1);
    });
  }

  it('skips IPv4 options', () => {
    const payload = udpDatagram(7, 9, new Uint8Array(0));
    const packet = ipPacket({ ...FOUR, options: new Uint8Array(40), payload });
    assert.equal(ipHeader.udpHeaderAt(packet, 0), 60);
  });

  it('finds none in a later fragment, which has no UDP header', () => {
    const payload = udpDatagram(7, 9, new Uint8Array(8));
    assert.equal(ipHeader.udpHeaderAt(ipPacket({ ...FOUR, payload, fragment: 0x2000 }), 0), 20, 'the first one');
    assert.equal(ipHeader.udpHeaderAt(ipPacket({ ...FOUR, payload, fragment: 0x0001 }), 0), -1);
    assert.equal(ipHeader.udpHeaderAt(ipPacket({ ...FOUR, payload, fragment: 0x1000 }), 0), -1);
    assert.equal(ipHeader.udpHeaderAt(ipPacket({ ...FOUR, payload, fragment: 0x3fff }), 0), -1);
  });

  it('does not look behind IPv6 extension headers', () => {
    for (const protocol of [0, 43, 44, 60])
      assert.equal(ipHeader.udpHeaderAt(ipPacket({ ...SIX, protocol, payload: new Uint8Array(24) }), 0), -1);
  });
});

function padded(packet: Uint8Array, paddingBytes: number): Uint8Array {
  const bytes = new Uint8Array(packet.length + paddingBytes);
  bytes.set(packet);
  return bytes;
}

/** Any bytes, most of them with a first byte that looks like IP. */
function arbitraryPacket(): fc.Arbitrary<Uint8Array> {
  const first = fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0x6f, 0x00, 0x44, 0x70);
  const length = fc.nat({ max: 120 });
  return fc.tuple(first, length, fc.uint8Array({ minLength: 0, maxLength: 120 })).map(([head, stated, rest]) => {
    const bytes = Uint8Array.of(head, 0, 0, stated, 0, stated, 17, 64, 0, 17, ...rest);
    return bytes;
  });
}

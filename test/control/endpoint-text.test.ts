import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatEndpoint, parseEndpoint } from '../../src/control/endpoint-text.js';
import { SystemZoneNames, type ZoneNames } from '../../src/control/zone-names.js';
import { Endpoint } from '../../src/wire/endpoint.js';

const ZONES: ZoneNames = {
  indexOf: (name) => (name === 'eth0' ? 7 : undefined),
  nameOf: (index) => (index === 7 ? 'eth0' : undefined),
};

describe('endpoints as text', () => {
  it('reads what it wrote', () => {
    const endpoints = fc
      .tuple(
        fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
        fc.integer({ min: 1, max: 65_535 }),
        fc.constantFrom(0, 7, 8, 0x7fff_ffff),
      )
      .map(([address, port, scope]) => Endpoint.from(address, port, address.length === 16 ? scope : 0));
    fc.assert(
      fc.property(endpoints, (endpoint) => {
        const read = parseEndpoint(formatEndpoint(endpoint, ZONES), ZONES);
        assert.deepEqual(read?.bytes, endpoint.bytes);
      }),
    );
  });

  it('writes a path that is no UDP address as an address of fd7a::/16 with port 0', () => {
    const path = Endpoint.forPath(Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i));
    assert.equal(formatEndpoint(path, ZONES), '[fd7a:f2f3:f4f5:f6f7:f8f9:fafb:fcfd:feff]:0');
  });

  it('writes a zone by its interface, or by number when the interface is gone', () => {
    const linkLocal = parseEndpoint('[fe80::1%eth0]:7', ZONES)!;
    assert.equal(linkLocal.scopeId, 7);
    assert.equal(formatEndpoint(linkLocal, ZONES), '[fe80::1%eth0]:7');
    assert.equal(formatEndpoint(parseEndpoint('[fe80::1%9]:7', ZONES)!, ZONES), '[fe80::1%9]:7');
  });

  it('takes an IPv4 address written as IPv6 for the IPv4 address', () => {
    assert.equal(formatEndpoint(parseEndpoint('[::ffff:192.0.2.1]:51820', ZONES)!, ZONES), '192.0.2.1:51820');
  });

  it('may have port 0, which scripts set to forget where a peer was', () => {
    for (const text of ['0.0.0.0:0', '[::]:0']) assert.equal(formatEndpoint(parseEndpoint(text, ZONES)!, ZONES), text);
  });

  const refused = ['', ':', '1.2.3.4', '1.2.3.4:', '1.2.3.4:65536', '1.2.3.4:+1', '1.2.3.4:0x10', ':51820'];
  const refusedIpv6 = [
    '::1:51820',
    '[::1]',
    '[::1]51820',
    '[::1%]:1',
    '[::1%nope]:1',
    '[1.2.3.4]:1',
    '[::1:1',
    '::1]:1',
  ];
  for (const text of [...refused, ...refusedIpv6, 'example.com:51820', '1.2.3.4%eth0:1', '[::1%4294967296]:1'])
    it(`refuses "${text}"`, () => assert.equal(parseEndpoint(text, ZONES), undefined));

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseEndpoint(text, ZONES)));
  });
});

describe('zones of this machine', () => {
  it('knows the loopback interface, which is always number 1', { skip: !hasIpv6() }, () => {
    const zones = new SystemZoneNames();
    assert.equal(zones.indexOf('lo'), 1);
    assert.equal(zones.nameOf(1), 'lo');
  });

  it('does not know what is no interface, nor what is a path', () => {
    const zones = new SystemZoneNames();
    for (const name of ['', '.', '..', '../../status', 'no-such-if']) assert.equal(zones.indexOf(name), undefined);
    assert.equal(zones.nameOf(0x7fff_ffff), undefined);
  });
});

function hasIpv6(): boolean {
  return new SystemZoneNames().nameOf(1) !== undefined;
}

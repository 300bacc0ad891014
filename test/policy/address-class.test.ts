import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';

import { type AddressClass, AddressClasses, CLASS_RANGES } from '../../src/policy/address-class.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { formatIpAddress } from '../../src/wire/address-text.js';
import { ip } from './small-gateway.js';

/** First and last address of each range. */
const ROWS: readonly (readonly [range: string, kind: AddressClass, first: string, last: string])[] = [
  ['0.0.0.0/8', 'this-host', '0.0.0.0', '0.255.255.255'],
  ['127.0.0.0/8', 'this-host', '127.0.0.0', '127.255.255.255'],
  ['::/128', 'this-host', '::', '::'],
  ['::1/128', 'this-host', '::1', '::1'],
  ['169.254.0.0/16', 'link-local', '169.254.0.0', '169.254.255.255'],
  ['fe80::/10', 'link-local', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['fec0::/10', 'link-local', 'fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['169.254.169.254/32', 'metadata', '169.254.169.254', '169.254.169.254'],
  ['168.63.129.16/32', 'metadata', '168.63.129.16', '168.63.129.16'],
  ['100.100.100.200/32', 'metadata', '100.100.100.200', '100.100.100.200'],
  ['192.0.0.192/32', 'metadata', '192.0.0.192', '192.0.0.192'],
  ['fd00:ec2::254/128', 'metadata', 'fd00:ec2::254', 'fd00:ec2::254'],
  ['10.0.0.0/8', 'private', '10.0.0.0', '10.255.255.255'],
  ['172.16.0.0/12', 'private', '172.16.0.0', '172.31.255.255'],
  ['192.168.0.0/16', 'private', '192.168.0.0', '192.168.255.255'],
  ['100.64.0.0/10', 'private', '100.64.0.0', '100.127.255.255'],
  ['198.18.0.0/15', 'private', '198.18.0.0', '198.19.255.255'],
  ['192.0.0.0/24', 'private', '192.0.0.0', '192.0.0.255'],
  ['fc00::/7', 'private', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['224.0.0.0/4', 'not-unicast', '224.0.0.0', '239.255.255.255'],
  ['240.0.0.0/4', 'not-unicast', '240.0.0.0', '255.255.255.254'],
  ['255.255.255.255/32', 'not-unicast', '255.255.255.255', '255.255.255.255'],
  ['192.0.2.0/24', 'not-unicast', '192.0.2.0', '192.0.2.255'],
  ['198.51.100.0/24', 'not-unicast', '198.51.100.0', '198.51.100.255'],
  ['203.0.113.0/24', 'not-unicast', '203.0.113.0', '203.0.113.255'],
  ['ff00::/8', 'not-unicast', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2001:db8::/32', 'not-unicast', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['100::/64', 'not-unicast', '100::', '100::ffff:ffff:ffff:ffff'],
];

/** Neighbours of the ranges, and addresses that people use. */
const PUBLIC = [
  '1.0.0.0',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.0.3.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '198.51.101.0',
  '203.0.112.255',
  '203.0.114.0',
  '223.255.255.255',
  '2001:db7:ffff::1',
  '2001:db9::1',
  '100:0:0:1::',
  '2606:4700:4700::1111',
  'fbff:ffff::1',
];

describe('Address classes', () => {
  const classes = new AddressClasses();
  const classOf = (text: string): AddressClass => classes.classify(ip(text)).class;

  for (const [range, kind, first, last] of ROWS)
    it(`${range} is ${kind}, from its first address to its last`, () => {
      assert.equal(classOf(first), kind);
      assert.equal(classOf(last), kind);
    });

  it('are tested for every range of the table', () => {
    assert.deepEqual(ROWS.map(([range]) => range).sort(), CLASS_RANGES.map(({ range }) => range).sort());
  });

  for (const text of PUBLIC) it(`${text} is public`, () => assert.equal(classOf(text), 'public'));

  it('agree with a list of Node itself about what is not public', () => {
    const list = new BlockList();
    for (const [range] of ROWS) {
      const [address, length] = range.split('/');
      list.addSubnet(address, Number(length), address.includes(':') ? 'ipv6' : 'ipv4');
    }
    const seed = Date.now();
    const random = new SeededRandom(seed);
    for (let i = 0; i < 5_000; i++) {
      const address = random.bytes(4);
      const text = formatIpAddress(address);
      assert.equal(classes.classify(address).class !== 'public', list.check(text), `seed ${seed}: ${text}`);
    }
  });

  it('count own addresses as this host, until they are no longer own', () => {
    const own = new AddressClasses();
    own.setOwnAddresses([ip('93.184.216.34'), ip('192.168.1.5'), ip('2001:41d0::5')]);
    for (const text of ['93.184.216.34', '192.168.1.5', '2001:41d0::5'])
      assert.deepEqual(own.classify(ip(text)), {
        class: 'this-host',
        prefixLength: text.includes(':') ? 128 : 32,
      });
    assert.equal(own.classify(ip('192.168.1.6')).class, 'private');
    own.setOwnAddresses([ip('192.168.1.6')]);
    assert.equal(own.classify(ip('93.184.216.34')).class, 'public');
    assert.equal(own.classify(ip('192.168.1.5')).class, 'private');
    assert.equal(own.classify(ip('192.168.1.6')).class, 'this-host');
  });
});

import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { IpPrefix } from '../../../src/core/configuration.js';
import { AllowedIps } from '../../../src/core/routing/allowed-ips.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { readVectors } from '../../vectors.js';
import { addressBytes } from '../address-bytes.js';
import { maskedPrefix, PrefixList } from './prefix-list.js';

interface Owner {
  readonly name: string;
}

const A: Owner = { name: 'a' };
const B: Owner = { name: 'b' };
const C: Owner = { name: 'c' };

describe('AllowedIps', () => {
  for (const family of ['ipv4', 'ipv6'] as const)
    it(`gives the published answers to the published script, ${family}`, () => {
      const script = readVectors<AllowedIpsVectors>('wireguard/allowedips.json')[family];
      const owners = new Map<string | null, Owner>();
      const ownerOf = (name: string | null): Owner => {
        if (!owners.has(name)) owners.set(name, { name: `${name}` });
        return owners.get(name)!;
      };
      const table = new AllowedIps<Owner>();
      for (const [step, { op, peer, ip, cidr }] of script.entries()) {
        const owner = ownerOf(peer ?? null);
        const what = `step ${step}: ${op} ${ip}/${cidr} ${peer}`;
        if (op === 'insert') table.insert(prefix(ip!, cidr!), owner);
        else if (op === 'remove') table.remove(prefix(ip!, cidr!), owner);
        else if (op === 'remove_by_peer') table.removeAll(owner);
        else if (op === 'lookup') assert.equal(lookup(table, ip!), owner, what);
        else if (op === 'lookup_not') assert.notEqual(lookup(table, ip!), owner, what);
        else for (const any of owners.values()) assert.deepEqual(table.list(any), [], what);
      }
    });

  it('lists as published, host bits cleared, in the order in which prefixes were given', () => {
    const { listing } = readVectors<AllowedIpsVectors>('wireguard/allowedips.json');
    const table = new AllowedIps<Owner>();
    for (const [, ip, cidr] of listing.insert) table.insert(prefix(ip, cidr), A);

    const expected = listing.expect_allowed_ips_of_a_in_any_order.map((text) => {
      const [ip, cidr] = text.split('/');
      return prefix(ip, Number(cidr));
    });
    assert.deepEqual(table.list(A), expected);
  });

  it('knows nobody while it is empty', () => {
    const table = new AllowedIps<Owner>();
    assert.equal(lookup(table, '10.0.0.1'), undefined);
    assert.equal(lookup(table, 'fd00::1'), undefined);
    assert.deepEqual(table.list(A), []);
    table.removeAll(A);
    assert.equal(table.remove(prefix('0.0.0.0', 0), A), false);
  });

  it('takes the longest prefix, whatever the order (§2)', () => {
    const nested = [prefix('10.1.2.3', 32), prefix('0.0.0.0', 0), prefix('10.1.2.0', 24), prefix('10.0.0.0', 8)];
    const owners = nested.map((_, i) => ({ name: `${i}` }));
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const table = new AllowedIps<Owner>();
      for (const i of order) table.insert(nested[i], owners[i]);
      assert.equal(lookup(table, '10.1.2.3'), owners[0]);
      assert.equal(lookup(table, '10.1.2.4'), owners[2]);
      assert.equal(lookup(table, '10.1.3.4'), owners[3]);
      assert.equal(lookup(table, '11.1.3.4'), owners[1]);
    }
  });

  it('keeps the families apart', () => {
    const table = new AllowedIps<Owner>();
    table.insert(prefix('0.0.0.0', 0), A);
    assert.equal(lookup(table, 'fd00::1'), undefined);
    table.insert(prefix('::', 0), B);
    assert.equal(lookup(table, 'fd00::1'), B);
    assert.equal(lookup(table, '10.0.0.1'), A);
    table.insert(prefix('a00:1::', 32), C);
    assert.equal(lookup(table, '10.0.0.1'), A);
  });

  it('moves a prefix to the owner that it is given to, as its last one', () => {
    const table = new AllowedIps<Owner>();
    for (const text of ['10.0.0.0', '10.1.0.0', '10.2.0.0']) table.insert(prefix(text, 16), A);
    table.insert(prefix('10.9.0.0', 16), B);
    table.insert(prefix('10.1.99.99', 16), B);

    assert.equal(lookup(table, '10.1.0.1'), B);
    assert.deepEqual(table.list(A), [prefix('10.0.0.0', 16), prefix('10.2.0.0', 16)]);
    assert.deepEqual(table.list(B), [prefix('10.9.0.0', 16), prefix('10.1.0.0', 16)]);
  });

  it('puts a prefix last that its owner is given again', () => {
    const table = new AllowedIps<Owner>();
    for (const text of ['10.0.0.0', 'fd00::', '10.2.0.0', '10.0.0.1']) table.insert(prefix(text, 16), A);
    assert.deepEqual(table.list(A), [prefix('fd00::', 16), prefix('10.2.0.0', 16), prefix('10.0.0.0', 16)]);
  });

  it('takes a prefix away from the owner that has it only, and exactly that prefix', () => {
    const table = new AllowedIps<Owner>();
    table.insert(prefix('10.0.0.0', 8), A);
    assert.equal(table.remove(prefix('10.0.0.0', 8), B), false);
    assert.equal(table.remove(prefix('10.0.0.0', 7), A), false);
    assert.equal(table.remove(prefix('10.0.0.0', 9), A), false);
    assert.equal(table.remove(prefix('a00::', 8), A), false);
    assert.equal(lookup(table, '10.0.0.1'), A);
    assert.equal(table.remove(prefix('10.255.255.255', 8), A), true, 'host bits do not matter');
    assert.equal(lookup(table, '10.0.0.1'), undefined);
    assert.equal(table.remove(prefix('10.0.0.0', 8), A), false, 'a second time');
  });

  it('shows what was behind a prefix that is taken away', () => {
    const table = new AllowedIps<Owner>();
    table.insert(prefix('10.0.0.0', 8), A);
    table.insert(prefix('10.1.0.0', 16), B);
    table.insert(prefix('10.1.1.0', 24), C);
    table.removeAll(B);
    assert.equal(lookup(table, '10.1.1.1'), C);
    assert.equal(lookup(table, '10.1.2.1'), A);
  });

  it('reads addresses at any offset', () => {
    const table = new AllowedIps<Owner>();
    table.insert(prefix('192.0.2.7', 32), A);
    table.insert(prefix('fd00::7', 128), B);
    const bytes = new Uint8Array(60).fill(0xee);
    bytes.set(addressBytes('192.0.2.7'), 13);
    bytes.set(addressBytes('fd00::7'), 27);
    assert.equal(table.lookup4(bytes, 13), A);
    assert.equal(table.lookup6(bytes, 27), B);
    assert.equal(table.lookup4(bytes, 14), undefined);
  });

  it('agrees with a linear scan, for any script of gifts, moves and removals', () => {
    fc.assert(
      fc.property(fc.array(anyStep(), { maxLength: 120, size: 'max' }), fc.array(anyAddress()), (steps, addresses) => {
        const table = new AllowedIps<Owner>();
        const model = new PrefixList<Owner>();
        for (const { op, prefix: what, owner } of steps) {
          if (op === 'insert') {
            table.insert(what, owner);
            model.insert(what, owner);
          } else if (op === 'remove') {
            assert.equal(table.remove(what, owner), model.remove(what, owner));
          } else {
            table.removeAll(owner);
            model.removeAll(owner);
          }
        }
        for (const owner of [A, B, C]) assert.deepEqual(table.list(owner), model.list(owner));
        for (const address of [...addresses, ...steps.map((step) => step.prefix.address)])
          assert.equal(find(table, address), model.lookup(address));
      }),
      { numRuns: 200 },
    );
  });

  for (const [family, addressLength] of [
    ['ipv4', 4],
    ['ipv6', 16],
  ] as const)
    it(`looks up what it lists, in the opinion of node:net, after half of 3,000 prefixes are removed, ${family}`, () => {
      const random = new SeededRandom(7);
      const table = new AllowedIps<Owner>();
      for (let i = 0; i < 3_000; i++)
        table.insert(
          { address: clustered(random, addressLength), prefixLength: 8 + random.integer(addressLength * 8 - 7) },
          i % 2 === 0 ? A : B,
        );
      table.removeAll(B);
      const opinion = new BlockList();
      for (const { address, prefixLength } of table.list(A)) opinion.addSubnet(textOf(address), prefixLength, family);
      for (let i = 0; i < 5_000; i++) {
        const address = clustered(random, addressLength);
        assert.equal(find(table, address) === A, opinion.check(textOf(address), family), textOf(address));
      }
    });

  it('takes 130,560 prefixes and gives them back, and can use their places again', () => {
    const table = new AllowedIps<Owner>();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 65_280; i++) {
        table.insert({ address: Uint8Array.of(10, i >> 8, i, 0), prefixLength: 24 }, A);
        const six = new Uint8Array(16);
        six.set([0xfd, 0, i >> 8, i]);
        table.insert({ address: six, prefixLength: 64 }, A);
      }
      assert.equal(table.list(A).length, 130_560);
      assert.equal(lookup(table, '10.254.255.9'), A);
      table.removeAll(A);
      assert.equal(lookup(table, '10.254.255.9'), undefined);
    }
  });
});

/** Few distinct bytes, most of them zero, so that prefixes nest and meet at any depth. */
function anyAddress(): fc.Arbitrary<Uint8Array> {
  const byte = fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x80, 0xc0, 0xff);
  const length = fc.constantFrom(4, 16);
  return length
    .chain((count) => fc.array(byte, { minLength: count, maxLength: count }))
    .map((it) => Uint8Array.from(it));
}

interface Step {
  readonly op: 'insert' | 'remove' | 'removeAll';
  readonly prefix: IpPrefix;
  readonly owner: Owner;
}

function anyStep(): fc.Arbitrary<Step> {
  const op = fc.oneof<fc.WeightedArbitrary<Step['op']>[]>(
    { weight: 20, arbitrary: fc.constant('insert') },
    { weight: 6, arbitrary: fc.constant('remove') },
    { weight: 1, arbitrary: fc.constant('removeAll') },
  );
  const somePrefix = anyAddress().chain((address) =>
    fc.nat({ max: address.length * 8 }).map((prefixLength) => ({ address, prefixLength })),
  );
  return fc.record({ op, prefix: somePrefix, owner: fc.constantFrom(A, B, C) });
}

/** An address of which any number of first bytes are zero, so that some share long prefixes. */
function clustered(random: SeededRandom, addressLength: number): Uint8Array {
  return random.bytes(addressLength).fill(0, 0, random.integer(addressLength));
}

function textOf(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  return Array.from({ length: 8 }, (_, i) => ((address[2 * i] << 8) | address[2 * i + 1]).toString(16)).join(':');
}

function lookup(table: AllowedIps<Owner>, address: string): Owner | undefined {
  return find(table, addressBytes(address));
}

function find(table: AllowedIps<Owner>, address: Uint8Array): Owner | undefined {
  return address.length === 4 ? table.lookup4(address, 0) : table.lookup6(address, 0);
}

function prefix(address: string, prefixLength: number): IpPrefix {
  return maskedPrefix({ address: addressBytes(address), prefixLength });
}

interface AllowedIpsStep {
  readonly op: 'insert' | 'remove' | 'remove_by_peer' | 'lookup' | 'lookup_not' | 'expect_empty';
  readonly peer?: string | null;
  readonly ip?: string;
  readonly cidr?: number;
}

interface AllowedIpsVectors {
  readonly ipv4: readonly AllowedIpsStep[];
  readonly ipv6: readonly AllowedIpsStep[];
  readonly listing: {
    readonly insert: readonly (readonly [peer: string, ip: string, cidr: number])[];
    readonly expect_allowed_ips_of_a_in_any_order: readonly string[];
  };
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';

import {
  AttributeWriter,
  readAttributes,
  readText,
  readU8,
  readU16,
  readU32,
  readU64,
} from '../../../src/control/netlink/attributes.js';
import { formatChangeMessages } from '../../../src/control/netlink/change-messages.js';
import { DeviceReader } from '../../../src/control/netlink/device-reader.js';
import { NetlinkExchange } from '../../../src/control/netlink/exchange.js';
import { KernelWireguard } from '../../../src/control/netlink/kernel-wireguard.js';
import { readLink } from '../../../src/control/netlink/links.js';
import { formatMessage, readMessages, readVerdict } from '../../../src/control/netlink/messages.js';
import { formatSocketAddress, readSocketAddress } from '../../../src/control/netlink/socket-address.js';
import { WireGuardError } from '../../../src/core/errors.js';
import { Endpoint } from '../../../src/wire/endpoint.js';
import { arbitraryChange } from '../arbitrary-change.js';
import { attributes, message, parse, type Raw, text, u16, u32, u64 } from './raw-netlink.js';

const ZONES = { indexOf: () => undefined, nameOf: () => undefined };
const bytes = fc.uint8Array({ maxLength: 300 });

/** Attributes that look right, up to three deep, with types that WireGuard has. */
const plausible = fc.letrec<{ list: Raw[]; one: Raw }>((tie) => ({
  list: fc.array(tie('one'), { maxLength: 5 }),
  one: fc.tuple(
    fc.nat(11),
    fc.oneof({ depthSize: 'small', maxDepth: 3 }, fc.uint8Array({ maxLength: 36 }), tie('list')),
  ),
})).list;

/** Anything, and what is nearly right. */
const suspicious = fc.oneof(
  bytes,
  plausible.map((list) => new Uint8Array(attributes(...list))),
  fc.tuple(plausible, fc.nat(), fc.nat(255)).map(([list, place, value]) => {
    const spoilt = new Uint8Array(attributes(...list));
    if (spoilt.length > 0) spoilt[place % spoilt.length] = value;
    return spoilt;
  }),
);

describe('netlink messages', () => {
  it('are read or refused, whatever the bytes: nothing throws', () => {
    fc.assert(
      fc.property(suspicious, (input) => {
        readAttributes(input);
        for (const found of readMessages(input) ?? []) readVerdict(found);
        readLink(input);
        readSocketAddress(input);
        const reader = new DeviceReader(ZONES);
        reader.read(input);
        reader.read(Buffer.concat([Buffer.alloc(4), input]));
        reader.clear();
        for (const value of [1, 2, 4, 8, input.length]) {
          const attribute = { type: 1, value: input.subarray(0, value) };
          for (const read of [readU8, readU16, readU32, readU64, readText]) read(attribute);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('from anything that calls itself the kernel end in an answer or in an error for people', () => {
    const datagrams = fc.array(
      fc.oneof(
        bytes,
        fc
          .tuple(fc.constantFrom(2, 3, 4, 16, 29), fc.nat(0xfff), fc.constantFrom(0, 1, 2, 3), suspicious)
          .map(([type, flags, sequence, payload]) => new Uint8Array(message(type, flags, sequence, payload))),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(datagrams, (answers) => {
        const left = [...answers];
        const wireguard = new KernelWireguard(
          () => ({
            send: () => 0,
            receive: (into) => {
              const next = left.shift();
              if (next === undefined) return -110;
              into.set(next);
              return next.length;
            },
            close: () => {},
          }),
          () => ZONES,
        );
        for (const run of [() => wireguard.get('wg0'), () => wireguard.interfaces()]) {
          try {
            run();
          } catch (error) {
            if (!(error instanceof WireGuardError)) throw error;
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffff_ffff), bytes, (type, flags, sequence, payload) => {
        const written = formatMessage(type, flags, sequence, payload);
        assert.deepEqual(written.length, 16 + payload.length);
        const [read, ...rest] = readMessages(written)!;
        assert.deepEqual([read?.type, read?.sequence, rest], [type, sequence, []]);
        assert.equal(read?.flags, flags | 1);
        assert.deepEqual(Uint8Array.from(read!.payload), payload);
      }),
    );
  });

  it('carry the words of the kernel, with its copy of the request and without', () => {
    const words = attributes([2, u32(20)], [1, text('no such thing')]);
    const request = message(29, 5, 1, attributes([2, text('wg0')]));
    const head = u32(-22);
    for (const [flags, payload] of [
      [0x300, Buffer.concat([head, request.subarray(0, 16), words])],
      [0x200, Buffer.concat([head, request, words])],
    ] as const) {
      const [read] = readMessages(message(2, flags, 1, payload))!;
      assert.deepEqual(readVerdict(read!), { errno: 22, reason: 'no such thing' });
    }
    const [done] = readMessages(message(3, 0x202, 1, Buffer.concat([u32(-19), words])))!;
    assert.deepEqual(readVerdict(done!), { errno: 19, reason: 'no such thing' });
  });

  it('of another request are passed over', () => {
    const stale = message(29, 2, 7, Buffer.alloc(4));
    const answers = [stale, Buffer.concat([stale, message(2, 0, 1, Buffer.alloc(20))])];
    const seen: number[] = [];
    const exchange = new NetlinkExchange({
      send: () => 0,
      receive: (into) => {
        const next = answers.shift()!;
        into.set(next);
        return next.length;
      },
      close: () => {},
    });
    const { errno } = exchange.request({ type: 29, flags: 0, payload: new Uint8Array() }, () => seen.push(1) > 0);
    assert.deepEqual([errno, seen], [0, []]);
  });
});

describe('netlink attributes', () => {
  it('are read as they were written', () => {
    const writer = new AttributeWriter(200);
    const opened = writer.open(8);
    writer.u8(1, 200);
    writer.u16(2, 51_820);
    writer.u32(3, 0xffff_fffe);
    writer.text(4, 'wg0');
    writer.bytes(5, Uint8Array.of(1, 2, 3, 4, 5));
    writer.close(opened);

    const expected: Raw[] = [
      [1, Buffer.from([200])],
      [2, u16(51_820)],
      [3, u32(0xffff_fffe)],
      [4, text('wg0')],
    ];
    assert.deepEqual(Buffer.from(writer.written), attributes([8, [...expected, [5, Buffer.from([1, 2, 3, 4, 5])]]]));
    const [outer] = readAttributes(writer.written)!;
    const inner = readAttributes(outer!.value)!;
    assert.deepEqual([outer?.type, ...inner.map(({ type }) => type)], [8, 1, 2, 3, 4, 5]);
    assert.deepEqual([readU8(inner[0]!), readU16(inner[1]!), readU32(inner[2]!)], [200, 51_820, 0xffff_fffe]);
    assert.equal(readText(inner[3]!), 'wg0');
    assert.equal(readU64({ type: 1, value: u64(2n ** 64n - 2n) }), 2n ** 64n - 2n);
  });

  it('with a value of a wrong length, address, prefix or key make the answer one that cannot be read', () => {
    const key: Raw = [1, Buffer.alloc(32, 7)];
    const ip = (...parts: Raw[]): Raw => [9, [[0, parts]]];
    for (const peer of [
      [[1, Buffer.alloc(31)]],
      [[5, u16(1)]],
      [key, [5, u32(1)]],
      [key, [2, Buffer.alloc(16)]],
      [key, [4, Buffer.alloc(16)]],
      [key, [6, u64(1n)]],
      [key, [7, u32(1)]],
      [key, ip([1, u16(2)], [2, Buffer.alloc(16)], [3, Buffer.from([8])])],
      [key, ip([1, u16(2)], [2, Buffer.alloc(4)], [3, Buffer.from([33])])],
      [key, ip([1, u16(3)], [2, Buffer.alloc(4)], [3, Buffer.from([8])])],
      [key, ip([1, u16(2)], [2, Buffer.alloc(4)])],
    ] as Raw[][]) {
      const payload = Buffer.concat([Buffer.alloc(4), attributes([8, [[0, peer]]])]);
      assert.equal(new DeviceReader(ZONES).read(payload), false, JSON.stringify(peer));
    }
  });

  it('of every change fit into each other and into their message', () => {
    fc.assert(
      fc.property(arbitraryChange, (change) => {
        for (const part of formatChangeMessages('wg0', change)) {
          assert.ok(part.length < 65_536);
          const [name, ...rest] = parse(part);
          assert.deepEqual([name?.type, name?.value.toString()], [2, 'wg0\0']);
          for (const { type, isNested, value } of rest) {
            assert.equal(isNested, type === 8);
            if (isNested) for (const peer of parse(value)) assert.ok(parse(peer.value).length > 0);
          }
        }
      }),
    );
  });
});

describe('a socket address', () => {
  it('is read as it was written, of either family, with its zone', () => {
    const addresses = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(addresses, fc.nat(65_535), fc.nat(0xffff_ffff), (address, port, zone) => {
        const endpoint = Endpoint.from(address, port, address.length === 16 ? zone : 0);
        assert.deepEqual(readSocketAddress(formatSocketAddress(endpoint)), endpoint);
      }),
    );
  });

  it('has port and address in the order of networks', () => {
    const written = formatSocketAddress(Endpoint.from(Uint8Array.of(10, 0, 0, 1), 51_820));
    assert.equal(Buffer.from(written).toString('hex'), '0200ca6c0a0000010000000000000000');
  });
});

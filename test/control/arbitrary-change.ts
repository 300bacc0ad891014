import * as fc from 'fast-check';
import type { DeviceState, PeerState } from '../../src/control/device-control.js';
import type { DeviceChange, IpPrefix, PeerChange } from '../../src/core/configuration.js';
import { Endpoint } from '../../src/wire/endpoint.js';

/** Random device changes and states, every field of which may be there or not. */
const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** Clamped, as every private key comes out of the parser (RFC 7748 §5). */
const privateKeys = keys.map((key) => {
  key[0] &= 248;
  key[31] = (key[31] & 127) | 64;
  return key;
});

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Not `::ffff:0:0/96`, which is read as IPv4. */
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((address) => address[0] !== 0);

const endpoints = fc
  .tuple(fc.oneof(ipv4, ipv6), fc.integer({ min: 1, max: 65_535 }))
  .map(([address, port]) => Endpoint.from(address, port));

const prefixes: fc.Arbitrary<IpPrefix> = fc
  .oneof(ipv4, ipv6)
  .chain((address) => fc.nat(8 * address.length).map((prefixLength) => ({ address, prefixLength })));

const peerChanges: fc.Arbitrary<PeerChange> = fc.record(
  {
    publicKey: keys,
    isRemoval: fc.constant(false),
    isUpdateOnly: fc.boolean(),
    presharedKey: keys,
    endpoint: endpoints,
    persistentKeepaliveSeconds: fc.nat(65_535),
    replaceAllowedIps: fc.boolean(),
    allowedIps: fc.array(
      fc.tuple(prefixes, fc.boolean()).map(([prefix, isRemoval]) => ({ ...prefix, isRemoval })),
      { maxLength: 5 },
    ),
  },
  {
    requiredKeys: ['publicKey', 'isRemoval', 'isUpdateOnly', 'replaceAllowedIps', 'allowedIps'],
    noNullPrototype: true,
  },
);

const removals: fc.Arbitrary<PeerChange> = keys.map((publicKey) => ({
  publicKey,
  isRemoval: true,
  isUpdateOnly: false,
  replaceAllowedIps: false,
  allowedIps: [],
}));

export const arbitraryChange: fc.Arbitrary<DeviceChange> = fc.record(
  {
    privateKey: fc.oneof(privateKeys, fc.constant(new Uint8Array(32))),
    listenPort: fc.nat(65_535),
    fwmark: fc.nat(0xffff_ffff),
    replacePeers: fc.boolean(),
    peers: fc.array(fc.oneof({ weight: 5, arbitrary: peerChanges }, { weight: 1, arbitrary: removals }), {
      maxLength: 6,
    }),
  },
  { requiredKeys: ['replacePeers', 'peers'], noNullPrototype: true },
);

const peerStates: fc.Arbitrary<PeerState> = fc.record(
  {
    publicKey: keys,
    presharedKey: keys,
    endpoint: fc.option(endpoints, { nil: undefined }),
    persistentKeepaliveSeconds: fc.nat(65_535),
    rxBytes: fc.maxSafeNat(),
    txBytes: fc.maxSafeNat(),
    lastHandshakeUnixMs: fc.oneof(
      fc.constant(0),
      fc.nat(2 ** 31).map((seconds) => seconds * 1_000 + (seconds % 997)),
    ),
    allowedIps: fc.array(prefixes, { maxLength: 5 }),
  },
  { noNullPrototype: true },
);

export const arbitraryState: fc.Arbitrary<DeviceState> = fc.record(
  {
    privateKey: fc.option(privateKeys, { nil: undefined }),
    listenPort: fc.nat(65_535),
    fwmark: fc.nat(0xffff_ffff),
    peers: fc.array(peerStates, { maxLength: 6 }),
  },
  { noNullPrototype: true },
);

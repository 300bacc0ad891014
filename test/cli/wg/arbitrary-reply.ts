import fc from 'fast-check';

type Lines = Readonly<Record<string, string | number>>;

const PUBLIC_KEY = '07'.repeat(32);

/** The answer to `get` of a device with these peers. */
export function device(...peers: readonly string[]): string {
  return `${peers.join('')}errno=0\n\n`;
}

/** The lines of a peer, behind its key. */
export function peer(lines: Lines): string {
  const rest = Object.entries(lines).map(([key, value]) => `${key}=${value}\n`);
  return `public_key=${PUBLIC_KEY}\n${rest.join('')}`;
}

/** Answers to `get` as daemons give them, with every field present or absent. */
export function arbitraryReply(nowSeconds: number): fc.Arbitrary<string> {
  const deviceLines = fc.record(
    {
      private_key: hexKey(),
      listen_port: fc.integer({ min: 0, max: 65_535 }),
      fwmark: fc.integer({ min: 0, max: 0xffff_ffff }),
    },
    { requiredKeys: [] },
  );
  return fc
    .tuple(deviceLines, fc.array(arbitraryPeer(nowSeconds), { maxLength: 4 }))
    .map(([lines, peers]) => `${formatLines(lines)}${peers.join('')}errno=0\n\n`);
}

function arbitraryPeer(nowSeconds: number): fc.Arbitrary<string> {
  const handshake = fc.oneof(fc.constant(0), fc.integer({ min: nowSeconds - 40_000_000, max: nowSeconds + 100 }));
  const counter = fc.oneof(
    fc.constant(0n),
    fc.bigInt({ min: 0n, max: 2_000_000n }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  const lines = fc.record(
    {
      preshared_key: fc.oneof(fc.constant('0'.repeat(64)), hexKey()),
      protocol_version: fc.constant(1),
      endpoint: endpoint(),
      last_handshake_time_sec: handshake,
      last_handshake_time_nsec: fc.integer({ min: 0, max: 999_999_999 }),
      tx_bytes: counter,
      rx_bytes: counter,
      persistent_keepalive_interval: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65_535 })),
    },
    { requiredKeys: [] },
  );
  return fc
    .tuple(hexKey(), lines, fc.array(prefix(), { maxLength: 4 }))
    .map(
      ([key, rest, prefixes]) =>
        `public_key=${key}\n${formatLines(rest)}${prefixes.map((ip) => `allowed_ip=${ip}\n`).join('')}`,
    );
}

function formatLines(lines: object): string {
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function hexKey(): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
}

function ipv6(): fc.Arbitrary<string> {
  const group = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
  );
  return fc.oneof(
    fc
      .array(group, { minLength: 8, maxLength: 8 })
      .map((groups) => groups.map((value) => value.toString(16)).join(':')),
    fc.ipV6(),
  );
}

function endpoint(): fc.Arbitrary<string> {
  const port = fc.integer({ min: 0, max: 65_535 });
  return fc.oneof(
    fc.tuple(fc.ipV4(), port).map(([address, number]) => `${address}:${number}`),
    fc.tuple(ipv6(), port).map(([address, number]) => `[${address}]:${number}`),
  );
}

function prefix(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`),
    fc.tuple(ipv6(), fc.integer({ min: 0, max: 128 })).map(([address, length]) => `${address}/${length}`),
  );
}

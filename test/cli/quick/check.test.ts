import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { describeThisHost, isPrivateAddress } from '../../../src/cli/quick/check/address-scope.js';
import { checkFile, checkText } from '../../../src/cli/quick/check/check-file.js';
import { type Finding, formatFinding } from '../../../src/cli/quick/check/finding.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { parseIpAddress } from '../../../src/control/ip-text.js';

const PRIVATE = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
/** The public key of the private key above. */
const OWN = 'HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=';
const ONE = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const TWO = 'TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=';

const AT_HOME = { isBehindNat: true, hasPublicIpv6: false };
const PUBLIC = { isBehindNat: false, hasPublicIpv6: true };
const HEAD = ['[Interface]', `PrivateKey = ${PRIVATE}`, 'Address = 10.0.0.1/24'];

describe('check', () => {
  it('has nothing to say about a sound file', () => {
    const lines = [...HEAD, 'ListenPort = 51820', '[Peer]', `PublicKey = ${ONE}`, 'AllowedIPs = 10.0.0.2/32'];
    assert.deepEqual(findings(lines), []);
  });

  it('tells all errors at once, in the order of the lines', () => {
    const found = findings([
      '[Interface]',
      'PrivateKey = short',
      'Adress = 10.0.0.1',
      '[Peer]',
      'AllowedIPs = 10.0.0.0/99',
    ]);

    assert.deepEqual(
      found.map((finding) => 'line' in finding && [finding.severity, finding.line]),
      [
        ['error', 2],
        ['error', 3],
        ['error', 4],
        ['error', 5],
        ['warning', 4],
      ].sort(([, a], [, b]) => Number(a) - Number(b)),
    );
    assert.match(found.map((finding) => formatFinding(finding, 'f')).join(''), /Did you mean Address\?/);
  });

  it('warns of allowed IPs of two peers that are the same, or lie inside each other', () => {
    const found = texts([
      ...HEAD,
      'ListenPort = 1',
      '[Peer]',
      `PublicKey = ${ONE}`,
      'AllowedIPs = 10.1.0.0/16, 10.0.0.2, fd00::/64',
      '[Peer]',
      `PublicKey = ${TWO}`,
      'AllowedIPs = 10.1.2.0/24, 10.0.0.2/32, fd01::/64, 0.0.0.0/0',
    ]);

    assert.deepEqual(found, [
      'AllowedIPs: 10.0.0.2/32 is also given to the peer of line 7',
      'AllowedIPs: 10.1.2.0/24 lies inside 10.1.0.0/16 of line 7',
    ]);
  });

  it('does not warn of a peer that is written twice as if it were two', () => {
    const peer = ['[Peer]', `PublicKey = ${ONE}`, 'AllowedIPs = 10.0.0.2/32, 10.1.0.0/16'];
    const found = texts([...HEAD, 'ListenPort = 1', ...peer, ...peer, 'AllowedIPs = 10.1.2.0/24']);
    assert.deepEqual(found, ['PublicKey: the peer of line 6 has the same key: they are one peer']);
  });

  it('says what is wrong with what people copy: a URL, a comment of another format', () => {
    const found = findings([
      ...HEAD,
      'ListenPort = 51820 ; comment',
      '[Peer]',
      `PublicKey = ${ONE}`,
      'Endpoint = https://vpn.example.net:51820',
      'AllowedIPs = 10.0.0.2/32',
    ]);
    const shown = found.map((finding) => formatFinding(finding, 'f')).join('');
    assert.match(shown, /Comments start with "#"/);
    assert.match(shown, /an endpoint has no scheme such as "http:\/\/": it is HOST:PORT/);
  });

  it('finds every overlap that a comparison of all pairs finds', () => {
    const range = fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 1, max: 32 }),
    );
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), fc.array(range, { maxLength: 8 }), (a, b) => {
        const texts = [a, b].map((ranges) => [...new Set(ranges.map(([x, y, length]) => masked(10, x, y, length)))]);
        const document = parseConfig(
          [
            ...HEAD,
            'ListenPort = 1',
            ...texts.flatMap((list, i) => [
              '[Peer]',
              `PublicKey = ${i === 0 ? ONE : TWO}`,
              `AllowedIPs = ${list.join(', ')}`,
            ]),
          ]
            .filter((line) => line !== 'AllowedIPs = ')
            .join('\n'),
          'f',
        );
        const [first, second] = texts as [string[], string[]];
        // A range of both peers is reported for the second peer.
        const expected = [
          ...first.filter((text) => second.some((other) => other !== text && isInside(text, other))),
          ...second.filter((text) => first.some((other) => isInside(text, other))),
        ];

        const found = checkText(document, AT_HOME).filter(({ message }) =>
          /lies inside|is also given to/.test(message),
        );

        assert.deepEqual(found.map(({ message }) => message.split(' ')[1]).sort(), expected.sort());
      }),
      { numRuns: 200 },
    );
  });

  it('warns of addresses that are written twice, or that a peer has', () => {
    const lines = [
      '[Interface]',
      `PrivateKey = ${PRIVATE}`,
      'ListenPort = 1',
      'Address = 10.0.0.1/24, fd00::1/64',
      'Address = 10.0.0.1/32',
    ];
    const peer = ['[Peer]', `PublicKey = ${ONE}`, 'AllowedIPs = fd00::1, 10.0.0.0/24'];

    assert.deepEqual(texts([...lines, ...peer]), [
      'Address: line 4 already has the address 10.0.0.1',
      'AllowedIPs: fd00::1 is the address of this interface itself (line 4)',
    ]);
  });

  it('warns of a client behind NAT that sends nothing by itself', () => {
    const peer = ['[Peer]', `PublicKey = ${ONE}`, 'AllowedIPs = 10.0.0.2/32', 'Endpoint = 198.51.100.1:1'];
    const nat = /behind NAT/;

    assert.match(texts([...HEAD, ...peer]).join(), nat);
    assert.match(texts([...HEAD, ...peer, 'PersistentKeepalive = off']).join(), nat);
    for (const [lines, host] of [
      [[...HEAD, ...peer, 'PersistentKeepalive = 25'], AT_HOME],
      [[...HEAD, 'ListenPort = 51820', ...peer], AT_HOME],
      [[...HEAD, ...peer], PUBLIC],
      [[...HEAD, ...peer.slice(0, 3), 'Endpoint = 192.168.7.1:1'], AT_HOME],
    ] as const) {
      assert.doesNotMatch(texts(lines, host).join(), nat);
    }
  });

  it('warns of an endpoint that is routed into the tunnel itself', () => {
    const peer = [
      '[Peer]',
      `PublicKey = ${ONE}`,
      'AllowedIPs = 203.0.113.0/24, 10.0.0.2/32',
      'Endpoint = 203.0.113.7:1',
    ];

    assert.deepEqual(texts([...HEAD, 'ListenPort = 1', ...peer]), [
      'Endpoint: the endpoint lies inside 203.0.113.0/24 of line 7',
    ]);
    assert.deepEqual(texts([...HEAD, 'ListenPort = 1', 'Table = off', ...peer]), []);
    assert.deepEqual(texts([...HEAD, 'ListenPort = 1', 'Table =', ...peer]), [
      'Endpoint: the endpoint lies inside 203.0.113.0/24 of line 8',
      'Table: there is no table: it means "auto"',
    ]);
    assert.deepEqual(
      texts([...HEAD, 'ListenPort = 1', ...peer].map((line) => line.replace('203.0.113.0/24', '0.0.0.0/0'))),
      [],
    );
  });

  it('warns of peers that cannot find each other, of IPv6 that stays outside, and of keys', () => {
    const peer = ['[Peer]', `PublicKey = ${ONE}`, 'AllowedIPs = 0.0.0.0/0'];

    assert.match(texts([...HEAD, ...peer]).join(), /no Endpoint, and the interface no ListenPort/);
    assert.match(texts([...HEAD, 'ListenPort = 1', ...peer], PUBLIC).join(), /this host also has IPv6/);
    assert.doesNotMatch(texts([...HEAD, 'ListenPort = 1', ...peer, 'AllowedIPs = ::/0'], PUBLIC).join(), /IPv6/);
    assert.match(texts(['[Interface]', 'ListenPort = 1']).join(), /has no PrivateKey/);
    assert.deepEqual(texts(['[Interface]', 'PostUp = wg set %i private-key /run/key']), []);
    assert.match(texts(peer).join(), /there is no \[Interface\] section/);
    const self = findings([...HEAD, 'ListenPort = 1', '[Peer]', `PublicKey = ${OWN}`]);
    assert.deepEqual(
      self.map(({ severity, message }) => [severity, message]),
      [['error', 'PublicKey: this is the public key of the interface itself']],
    );
  });

  it('warns of a file that others can read, and of a name that up cannot use', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'my tunnel.txt');
    writeFileSync(file, `${HEAD.join('\n')}\n`, { mode: 0o644 });

    const before = (await checkFile(file)).map(({ message }) => message);
    chmodSync(folder, 0o755);
    const open = (await checkFile(file)).map(({ message }) => message);

    assert.deepEqual(before, [
      'users other than its owner may read the file and the keys in it',
      'the file is not called INTERFACE.conf',
    ]);
    assert.equal(open[0], 'everyone can reach the file and the keys in it');
  });

  it('does not advise to change the permissions of a device', async () => {
    const found = await checkFile('/dev/null');
    assert.ok(!found.some(({ advice }) => advice?.includes('chmod') === true));
  });

  it('never shows a secret, and never fails, whatever the text', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '[Interface]',
        '[Peer]',
        ...HEAD,
        `PublicKey = ${ONE}`,
        `PresharedKey = ${TWO}x`,
        `privatekey ${PRIVATE}`,
      ),
      fc
        .tuple(fc.constantFrom('Address', 'AllowedIPs', 'Endpoint', 'DNS', 'Table'), fc.string())
        .map((pair) => pair.join(' = ')),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const found = checkText(parseConfig(lines.join('\n'), 'f'), AT_HOME);
        assert.ok(
          !found
            .map((finding) => formatFinding(finding, 'f'))
            .join('')
            .includes(PRIVATE),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('takes 20,000 peers', { timeout: 240_000 }, () => {
    const lines = [...HEAD];
    for (let i = 0; i < 20_000; i++) {
      const key = Buffer.alloc(32);
      key.writeUInt32BE(i + 1, 0);
      lines.push(
        '[Peer]',
        `PublicKey = ${key.toString('base64')}`,
        `AllowedIPs = 10.${(i >> 8) & 255}.${i & 255}.0/24`,
      );
      lines.push(`Endpoint = 198.51.100.1:${i + 1}`, 'PersistentKeepalive = 25');
    }
    assert.deepEqual(findings(lines), []);
  });
});

describe('addresses', () => {
  it('are private or public', () => {
    for (const text of [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.0.1',
      '100.64.0.1',
      '127.0.0.1',
      'fd00::1',
      'fe80::1',
      '::1',
    ]) {
      assert.ok(isPrivateAddress(parseIpAddress(text)!), text);
    }
    for (const text of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:db8::1']) {
      assert.ok(!isPrivateAddress(parseIpAddress(text)!), text);
    }
  });

  it('of a host tell whether it is behind NAT', () => {
    const host = (...addresses: string[]) =>
      describeThisHost({ eth0: addresses.map((address) => ({ address }) as never) });

    assert.deepEqual(host('127.0.0.1', '192.168.1.7', 'fe80::1%eth0'), { isBehindNat: true, hasPublicIpv6: false });
    assert.deepEqual(host('203.0.113.7', '2001:db8::7'), { isBehindNat: false, hasPublicIpv6: true });
  });
});

function findings(lines: readonly string[], host = AT_HOME): Finding[] {
  return checkText(parseConfig(`${lines.join('\n')}\n`, 'f'), host);
}

function texts(lines: readonly string[], host = AT_HOME): string[] {
  return findings(lines, host)
    .map(({ message }) => message)
    .sort();
}

function masked(a: number, b: number, c: number, length: number): string {
  const bits = (((a << 24) | (b << 16) | (c << 8)) & (length === 0 ? 0 : -1 << (32 - length))) >>> 0;
  return `${bits >>> 24}.${(bits >> 16) & 255}.${(bits >> 8) & 255}.${bits & 255}/${length}`;
}

function isInside(inner: string, outer: string): boolean {
  const [address = '', length] = outer.split('/');
  if (Number(inner.split('/')[1]) < Number(length)) return false;
  const [a, b, c] = inner.split('/')[0]!.split('.').map(Number);
  return masked(a!, b!, c!, Number(length)) === `${address}/${length}`;
}

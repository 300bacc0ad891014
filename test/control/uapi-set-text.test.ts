import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatEndpoint } from '../../src/control/endpoint-text.js';
import { formatIpPrefix } from '../../src/control/ip-text.js';
import { formatSet, parseSet } from '../../src/control/uapi-set-text.js';
import type { ZoneNames } from '../../src/control/zone-names.js';
import type { DeviceChange } from '../../src/core/configuration.js';
import { arbitraryChange } from './arbitrary-change.js';

const ZONES: ZoneNames = {
  indexOf: (name) => (name === 'lo' ? 1 : undefined),
  nameOf: (index) => (index === 1 ? 'lo' : undefined),
};
const KEY = 'ab'.repeat(32);
const OTHER_KEY = 'cd'.repeat(32);
const PEER = `public_key=${KEY}\n`;
const EINVAL = 22;
const EPROTO = 71;

describe('set of the configuration protocol', () => {
  it('reads what it wrote', () => {
    fc.assert(fc.property(arbitraryChange, (change) => assert.deepEqual(parse(formatSet(change, ZONES)), change)));
  });

  it('reads or refuses any bytes, and never throws', () => {
    const lines = fc.constantFrom(
      'public_key=',
      KEY,
      '\n',
      'endpoint=[fe80::1%lo]:7\n',
      'allowed_ip=::/0\n',
      'true',
      '=',
    );
    const texts = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.oneof(lines, fc.string()), { maxLength: 20 }).map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(texts, (text) => void parseSet(text, ZONES)),
      { numRuns: 1_000 },
    );
  });

  it('refuses a valid text with one line spoilt, whatever stands around it', () => {
    fc.assert(
      fc.property(arbitraryChange, fc.nat(), (change, place) => {
        const lines = formatSet(change, ZONES).toString('latin1').split('\n').slice(0, -1);
        fc.pre(lines.length > 0);
        const spoilt = place % lines.length;
        lines[spoilt] = `${lines[spoilt]} `;
        assert.equal(refusal(`${lines.join('\n')}\n`).errno, EINVAL);
      }),
    );
  });

  it('changes nothing that is not mentioned', () => {
    assert.deepEqual(parse(''), { replacePeers: false, peers: [] });
    assert.deepEqual(parse(PEER).peers, [
      {
        publicKey: Uint8Array.from(Buffer.from(KEY, 'hex')),
        isRemoval: false,
        isUpdateOnly: false,
        replaceAllowedIps: false,
        allowedIps: [],
      },
    ]);
  });
});

describe('keys of the device', () => {
  it('clamps a private key, given in either case (RFC 7748 §5)', () => {
    assert.equal(hex(parse(`private_key=${'FF'.repeat(32)}\n`).privateKey), `f8${'ff'.repeat(30)}7f`);
    assert.equal(hex(parse(`private_key=${'01'.repeat(32)}\n`).privateKey), `00${'01'.repeat(30)}41`);
  });

  it('takes a private key of zeros for none', () => {
    assert.equal(hex(parse(`private_key=${'00'.repeat(32)}\n`).privateKey), '00'.repeat(32));
  });

  it('reads numbers in decimal, up to their greatest', () => {
    const { listenPort, fwmark } = parse('listen_port=65535\nfwmark=4294967295\n');
    assert.deepEqual({ listenPort, fwmark }, { listenPort: 65_535, fwmark: 4_294_967_295 });
    assert.equal(parse('listen_port=0\n').listenPort, 0);
  });

  it('takes the last of several', () => {
    assert.equal(parse('listen_port=1\nlisten_port=2\n').listenPort, 2);
  });

  for (const line of [
    'private_key=',
    `private_key=${'a'.repeat(63)}`,
    `private_key=${'g'.repeat(64)}`,
    `private_key=${KEY}00`,
    'listen_port=65536',
    'listen_port=-1',
    'listen_port=+1',
    'listen_port=0x10',
    'listen_port=1.0',
    'listen_port=',
    'listen_port= 1',
    'listen_port=1e3',
    'listen_port=1_0',
    'fwmark=4294967296',
    'fwmark=0xca6c',
    'fwmark=-1',
    'replace_peers=false',
    'replace_peers=True',
    'replace_peers=',
    'errno=0',
    'protocol_version=1',
    'endpoint=192.0.2.1:1',
    'LISTEN_PORT=1',
    '=1',
  ])
    it(`refuses ${line}`, () => assert.equal(refusal(`${line}\n`).errno, EINVAL));

  it('stand before the first public_key', () => {
    for (const line of [`private_key=${KEY}`, 'listen_port=1', 'fwmark=1', 'replace_peers=true']) {
      const { errno, reason } = refusal(`${PEER}${line}\n`);
      assert.equal(errno, EINVAL);
      assert.match(reason, /before the first public_key/);
    }
  });
});

describe('keys of a peer', () => {
  it('belong to the public_key before them', () => {
    const text = `${PEER}persistent_keepalive_interval=1\npublic_key=${OTHER_KEY}\npersistent_keepalive_interval=2\n`;
    assert.deepEqual(
      parse(text).peers.map(({ publicKey, persistentKeepaliveSeconds }) => [
        hex(publicKey),
        persistentKeepaliveSeconds,
      ]),
      [
        [KEY, 1],
        [OTHER_KEY, 2],
      ],
    );
  });

  it('do not leak into the next peer', () => {
    const first = `preshared_key=${KEY}\nendpoint=192.0.2.1:1\npersistent_keepalive_interval=9\nupdate_only=true\n`;
    const [, second] = parse(
      `${PEER}${first}replace_allowed_ips=true\nallowed_ip=::/0\npublic_key=${OTHER_KEY}\n`,
    ).peers;
    assert.deepEqual(second, parse(`public_key=${OTHER_KEY}\n`).peers[0]);
  });

  it('may name one peer several times, in order', () => {
    assert.deepEqual(
      parse(`${PEER}remove=true\n${PEER}`).peers.map(({ isRemoval }) => isRemoval),
      [true, false],
    );
  });

  it('count for the whole block when they are remove or update_only, wherever they stand', () => {
    const [early, late] = parse(
      `${PEER}update_only=true\nallowed_ip=::/0\n${PEER}allowed_ip=::/0\nupdate_only=true\n`,
    ).peers;
    assert.deepEqual(early, late);
    assert.equal(parse(`${PEER}allowed_ip=::/0\nremove=true\n`).peers[0].isRemoval, true);
  });

  it('drop the allowed IPs before replace_allowed_ips', () => {
    const [peer] = parse(`${PEER}allowed_ip=10.0.0.0/8\nreplace_allowed_ips=true\nallowed_ip=::/0\n`).peers;
    assert.equal(peer.replaceAllowedIps, true);
    assert.deepEqual(peer.allowedIps.map(formatIpPrefix), ['::/0']);
  });

  it('take an allowed IP away when it has a minus', () => {
    const [{ allowedIps }] = parse(`${PEER}allowed_ip=10.0.0.0/8\nallowed_ip=-10.0.0.0/8\n`).peers;
    assert.deepEqual(
      allowedIps.map(({ isRemoval }) => isRemoval),
      [false, true],
    );
  });

  it('read an endpoint with a zone', () => {
    const [{ endpoint }] = parse(`${PEER}endpoint=[fe80::1%lo]:7\n`).peers;
    assert.equal(endpoint?.scopeId, 1);
    assert.equal(formatEndpoint(endpoint, ZONES), '[fe80::1%lo]:7');
  });

  for (const line of [
    'public_key=',
    `public_key=${KEY}ab`,
    'remove=false',
    'update_only=1',
    'replace_allowed_ips=yes',
    `preshared_key=${'0'.repeat(62)}`,
    'endpoint=',
    'endpoint=example.com:51820',
    'endpoint=192.0.2.1',
    'persistent_keepalive_interval=65536',
    'persistent_keepalive_interval=off',
    'allowed_ip=10.0.0.1',
    'allowed_ip=10.0.0.0/33',
    'allowed_ip=--10.0.0.0/8',
    'allowed_ip=+10.0.0.0/8',
    'protocol_version=2',
    'protocol_version=01',
    'rx_bytes=1',
    'allowed_ip=10.0.0.0/8\r',
    'allowed_ip=10.0.0.0/8\0',
  ])
    it(`refuse ${JSON.stringify(line)}`, () => assert.equal(refusal(`${PEER}${line}\n`).errno, EINVAL));
});

describe('a refusal', () => {
  it('is EPROTO for a line without "="', () => {
    for (const text of ['listen_port\n', '\n', `${PEER}remove\n`]) assert.equal(refusal(text).errno, EPROTO);
  });

  it('names the key of the line', () => {
    assert.deepEqual(refusal('fwmark=0x1\n'), {
      errno: EINVAL,
      key: 'fwmark',
      reason: 'not a decimal number from 0 to 4294967295',
    });
  });

  it('never repeats a value, nor a key that it does not know', () => {
    const secret = 'ff'.repeat(31);
    for (const text of [`private_key=${secret}\n`, `${PEER}preshared_key=${secret}\n`, `${secret}=1\n`, `${secret}\n`])
      assert.ok(!JSON.stringify(refusal(text)).includes(secret), text);
  });
});

function parse(text: string | Buffer): DeviceChange {
  const result = parseSet(Buffer.from(text), ZONES);
  assert.ok(!('errno' in result), JSON.stringify(result));
  return result;
}

function refusal(text: string): { errno: number; key: string; reason: string } {
  const result = parseSet(Buffer.from(text), ZONES);
  assert.ok('errno' in result, `accepted: ${JSON.stringify(text)}`);
  return result;
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}

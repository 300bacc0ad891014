import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { formatKey } from '../../../src/control/key-text.js';
import { WireGuardError } from '../../../src/core/errors.js';
import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import { importGateway } from '../../../src/gateway/import/import-gateway.js';
import { SETTINGS } from '../../server/server-lab.js';

const NOW_UNIX_MS = Date.UTC(2026, 10, 26);

function keys(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPair();
  return { privateKey: formatKey(privateKey), publicKey: formatKey(publicKey) };
}

function wgEasy(clients: readonly object[], server: object = {}): string {
  const own = { ...keys(), address: '10.8.0.1', ...server };
  return JSON.stringify({ server: own, clients: Object.fromEntries(clients.map((client, i) => [`c${i}`, client])) });
}

function client(name: string, address: string, more: object = {}): object {
  const { publicKey, privateKey } = keys();
  return {
    id: 'x',
    name,
    address,
    publicKey,
    privateKey,
    preSharedKey: keys().publicKey,
    enabled: true,
    createdAt: '2025-01-02T03:04:05.000Z',
    ...more,
  };
}

describe('wg0.json of wg-easy', () => {
  it('becomes a gateway with the same key, network and devices', () => {
    const server = keys();
    const text = wgEasy(
      [client('Phone', '10.8.0.2'), client('phone', '10.8.0.3', { enabled: false, expiredAt: '2030-01-01' })],
      server,
    );
    const { privateKey, settings, devices, leftOut } = importGateway(text, 'wg0.json', SETTINGS, NOW_UNIX_MS);
    assert.equal(formatKey(privateKey), server.privateKey);
    assert.deepEqual(
      [settings.subnet4, settings.subnet6, settings.endpoint],
      ['10.8.0.0/24', undefined, SETTINGS.endpoint],
    );
    assert.deepEqual(
      devices.map(({ name, addresses, isBlocked, expiresAtUnixMs }) => [name, addresses, isBlocked, expiresAtUnixMs]),
      [
        ['Phone', ['10.8.0.2'], false, undefined],
        ['phone 2', ['10.8.0.3'], true, Date.UTC(2030, 0, 1)],
      ],
    );
    assert.equal(devices[0]!.createdAtUnixMs, Date.UTC(2025, 0, 2, 3, 4, 5));
    assert.deepEqual(leftOut, []);
    assert.ok(!JSON.stringify(devices).includes('privateKey'));
  });

  it('is refused with the member that is wrong, and never with a key', () => {
    const secret = keys().privateKey;
    const cases: [string, RegExp][] = [
      ['{', /not JSON/],
      ['{"server":{}}', /server\.privateKey/],
      [wgEasy([client('a', '10.8.0.1')]), /address 10\.8\.0\.1 of another/],
      [wgEasy([client('a', 'nowhere')]), /no address/],
      [wgEasy([], { privateKey: `${secret}x` }), /server\.privateKey/],
    ];
    for (const [text, pattern] of cases)
      assert.throws(
        () => importGateway(text, 'wg0.json', SETTINGS, NOW_UNIX_MS),
        (error: unknown) =>
          error instanceof WireGuardError && pattern.test(error.message) && !error.message.includes(secret),
      );
  });

  it('lists members that it does not know', () => {
    const { leftOut } = importGateway(
      wgEasy([client('a', '10.8.0.2', { firewall: 'x' })]),
      'wg0.json',
      SETTINGS,
      NOW_UNIX_MS,
    );
    assert.deepEqual(leftOut, ['wg0.json: clients.c0.firewall is not known']);
  });

  it('of any names has devices with names of their own', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 80 }), { minLength: 1, maxLength: 12 }), (names) => {
        const text = wgEasy(names.map((name, i) => client(name, `10.8.0.${i + 2}`)));
        const { devices } = importGateway(text, 'wg0.json', SETTINGS, NOW_UNIX_MS);
        assert.equal(new Set(devices.map(({ name }) => name.toLowerCase())).size, names.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a file of a server', () => {
  it('of wg-quick becomes a gateway; peers that are commented out are blocked, hooks are left out', () => {
    const [server, phone, laptop] = [keys(), keys(), keys()];
    const text = `[Interface]
PrivateKey = ${server.privateKey}
Address = 10.66.0.1/24, fd66::1/64
ListenPort = 51000
PostUp = iptables -A FORWARD -j ACCEPT

[Peer]
# Name = phone
PublicKey = ${phone.publicKey}
AllowedIPs = 10.66.0.2/32, fd66::2/128

# [Peer]
# # Name = laptop
# PublicKey = ${laptop.publicKey}
# AllowedIPs = 10.66.0.3/32
`;
    const { settings, devices, leftOut } = importGateway(text, 'wg0.conf', SETTINGS, NOW_UNIX_MS);
    assert.deepEqual(
      [settings.subnet4, settings.subnet6, settings.listenPort, settings.endpoint],
      ['10.66.0.0/24', 'fd66::/64', 51_000, 'vpn.example.net:51000'],
    );
    assert.deepEqual(devices.map(({ name, addresses }) => [name, addresses])[0], ['phone', ['10.66.0.2', 'fd66::2']]);
    assert.match(leftOut.join(), /PostUp is not run/);
  });

  it('of PiVPN has the names of its clients', () => {
    const [server, phone] = [keys(), keys()];
    const text = `[Interface]
PrivateKey = ${server.privateKey}
Address = 10.6.0.1/24
ListenPort = 51820
### begin li-phone ###
[Peer]
PublicKey = ${phone.publicKey}
AllowedIPs = 10.6.0.2/32
### end li-phone ###
`;
    const { devices } = importGateway(text, 'wg0.conf', SETTINGS, NOW_UNIX_MS);
    assert.deepEqual(
      devices.map(({ name, addresses }) => [name, addresses]),
      [['li-phone', ['10.6.0.2']]],
    );
  });

  it('of a client is refused', () => {
    const text = `[Interface]\nPrivateKey = ${keys().privateKey}\n`;
    assert.throws(() => importGateway(text, 'client.conf', SETTINGS, NOW_UNIX_MS), { code: 'ERR_IMPORT' });
  });
});

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { readRunOptions } from '../../../src/cli/gateway/run-options.js';

const PAGE = { host: '127.0.0.1', port: 8_080 };

it('A gateway and a hub run by the same options, of which none is needed', () => {
  assert.deepEqual(readRunOptions({}, PAGE), { pages: [PAGE], hostNames: [], openings: [], trustedProxies: [] });
  const { openings, trustedProxies, ...others } = readRunOptions(
    {
      endpoint: 'vpn.example.net',
      port: '443',
      page: ['0.0.0.0:80', '81'],
      'host-name': ['a', 'b'],
      allow: ['10.0.0.5:22'],
      'trusted-proxy': ['10.0.0.0/8', '::1'],
      'tls-cert': 'cert.pem',
      'tls-key': 'key.pem',
      tun: true,
    },
    PAGE,
  );
  assert.deepEqual(others, {
    endpoint: 'vpn.example.net',
    port: 443,
    pages: [
      { host: '0.0.0.0', port: 80 },
      { host: '127.0.0.1', port: 81 },
    ],
    hostNames: ['a', 'b'],
    tls: { cert: 'cert.pem', key: 'key.pem' },
    uplink: 'tun',
  });
  assert.deepEqual([openings[0]?.port, trustedProxies.map(({ prefixLength }) => prefixLength)], [22, [8, 128]]);
});

it('A certificate without its key is refused, and a key without its certificate', () => {
  for (const half of [{ 'tls-cert': 'cert.pem' }, { 'tls-key': 'key.pem' }])
    assert.throws(() => readRunOptions(half, PAGE), { code: 'ERR_USAGE', message: /belong together/ });
});

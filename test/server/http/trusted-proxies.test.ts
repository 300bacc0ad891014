import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseIpPrefix } from '../../../src/control/ip-text.js';
import { TrustedProxies } from '../../../src/server/http/trusted-proxies.js';

const FACTS = {
  address: '10.1.0.1',
  isSecure: false,
  host: 'inner:8080',
  forwardedFor: undefined,
  forwardedProto: undefined,
  forwardedHost: undefined,
};

describe('TrustedProxies', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', 'fd00::/8'].map((text) => parseIpPrefix(text)!));

  it('believes a proxy of ours what it says about its client', () => {
    const facts = { ...FACTS, forwardedFor: '9.9.9.9', forwardedProto: 'https', forwardedHost: 'vpn.example.net' };
    const client = { address: '9.9.9.9', isSecure: true, host: 'vpn.example.net' };
    assert.deepEqual(proxies.clientOf(facts), client);
    assert.deepEqual(proxies.clientOf({ ...facts, address: '::ffff:10.1.0.1' }), client);
    assert.deepEqual(proxies.clientOf({ ...facts, address: 'fd12::1' }), client);
  });

  it('believes nobody else', () => {
    const facts = { ...FACTS, address: '8.8.8.8', forwardedFor: '127.0.0.1', forwardedProto: 'https' };
    assert.deepEqual(proxies.clientOf(facts), { address: '8.8.8.8', isSecure: false, host: 'inner:8080' });
    assert.equal(new TrustedProxies([]).clientOf({ ...facts, address: '10.1.0.1' }).address, '10.1.0.1');
  });

  it('takes the last address that is none of ours: those before it are what the client wrote', () => {
    const chain = (forwardedFor: string) => proxies.clientOf({ ...FACTS, forwardedFor }).address;
    assert.equal(chain('1.1.1.1, 9.9.9.9, 10.2.0.1'), '9.9.9.9');
    assert.equal(chain('2001:db8::1'), '2001:db8::1');
    for (const bad of ['', 'unknown', '9.9.9.9:80', '10.2.0.1', '<script>']) assert.equal(chain(bad), '10.1.0.1', bad);
  });
});

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { parseEndpointOption, parseListenOption, parsePortOption } from '../../../src/cli/gateway/gateway-options.js';

it('A place to listen is a port of this host, or of one that is named, and an error names its option', () => {
  const read = (text: string): unknown => parseListenOption('proxy', text, '1080');
  assert.deepEqual(read('1080'), { host: '127.0.0.1', port: 1_080 });
  assert.deepEqual(read('0.0.0.0:9000'), { host: '0.0.0.0', port: 9_000 });
  assert.deepEqual(read('[::1]:9000'), { host: '::1', port: 9_000 });
  for (const wrong of ['', 'x', '65536', '::1:80', '[::1]']) {
    const message = `--proxy ${wrong}: a port is expected, with or without a host, as in 1080`;
    assert.throws(() => read(wrong), { code: 'ERR_VALUE', message });
  }
});

it('The place where devices reach a gateway is a name or an address, with or without a port', () => {
  for (const text of [
    'vpn.example.net',
    'vpn.example.net:443',
    '192.0.2.1:1',
    '2001:db8::1',
    '[2001:db8::1]',
    '[::1]:65535',
  ])
    assert.equal(parseEndpointOption(text), text);
  for (const wrong of ['', 'a b', 'vpn:0', 'vpn:65536', 'vpn:port', '[::1', 'https://vpn', '2001:db8::1::2'])
    assert.throws(() => parseEndpointOption(wrong), { code: 'ERR_VALUE', message: /^--endpoint / });
});

it('The port of WireGuard is a number of one to five figures, within bounds', () => {
  assert.deepEqual(['1', '51820', '65535'].map(parsePortOption), [1, 51_820, 65_535]);
  for (const wrong of ['', '0', '65536', '1e3', '-1', ' 1', '0x10', 'tcp'])
    assert.throws(() => parsePortOption(wrong), { code: 'ERR_VALUE', message: /^--port / });
});

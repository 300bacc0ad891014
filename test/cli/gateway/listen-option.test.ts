import assert from 'node:assert/strict';
import { it } from 'node:test';

import { parseListenOption } from '../../../src/cli/gateway/gateway-options.js';

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

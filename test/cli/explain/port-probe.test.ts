import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';

import { probePort } from '../../../src/cli/explain/port-probe.js';

describe('probePort', () => {
  it('tells a port where nothing listens from one that is silent', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();

    const arrived = once(socket, 'message');
    assert.equal(await probePort('127.0.0.1', port, 50), 'quiet');
    const [message] = (await arrived) as [Buffer];
    socket.close();

    assert.deepEqual([...message], [0], 'no WireGuard message');
    assert.equal(await probePort('127.0.0.1', port), 'refused');
  });
});

/** `wiretype gateway`, as a user without any right. Topology: gateway-lab.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openGatewayLab, SERVER } from './gateway-lab.js';

const FLOWS = 1_000;
const TIMEOUT = { timeout: 240_000 };

describe('wiretype gateway without any right', () => {
  it('carries all that a stock client does, and says what became of it', TIMEOUT, async (t) => {
    const { client, ask, checksum, gatewayAddress } = await openGatewayLab(t, { isRoot: false, words: [] });
    const curl = (...words: readonly string[]) => client.run('curl', ['-sS', '--fail', '--max-time', '120', ...words]);

    assert.equal(await curl(`http://${SERVER}/page`), 'a page beyond the gateway\n');
    assert.equal(await curl('http://[2a01:4f8::7]/page'), 'a page beyond the gateway\n');
    const sum = await client.run('bash', ['-c', `curl -sS http://${SERVER}/big | sha256sum`]);
    assert.equal(sum.split(' ')[0], checksum);

    // A thousand connections at a time, each of which gets back what it sent.
    const flows = `const net = require('net'); let left = ${FLOWS}; for (let i = 0; i < ${FLOWS}; i++) {
      const s = net.connect(7, '${SERVER}', () => s.write('flow ' + i));
      s.on('data', (d) => { if (String(d) !== 'flow ' + i) throw new Error('mixed'); s.end(); if (--left === 0) console.log('all'); });
    }`;
    assert.match(await client.run(process.execPath, ['-e', flows]), /all/);

    assert.match(await client.run('ping', ['-c', '3', '-i', '0.3', '-W', '5', SERVER]), / 0% packet loss/);
    assert.match(await client.run('ping', ['-c', '1', '-W', '5', gatewayAddress]), / 0% packet loss/);
    const udp = JSON.parse(await client.run('iperf3', ['-c', SERVER, '-u', '-b', '20M', '-t', '2', '-J']));
    assert.ok(udp.end.sum.lost_percent < 5, `${udp.end.sum.lost_percent} % lost`);

    const refused = await client.attempt('curl', ['-sS', '--max-time', '10', `http://${SERVER}:81/`]);
    assert.equal(refused.status, 7, 'refused at once');
    const unreachable = await client.attempt('curl', ['-sS', '--max-time', '10', 'http://198.18.7.7/']);
    assert.ok([7, 28].includes(unreachable.status));
    const denied = await client.attempt('curl', ['-sS', '--max-time', '10', 'http://203.0.113.1:8080/healthz']);
    assert.notEqual(denied.status, 0, 'the host itself is closed');
    assert.equal(await curl(`http://${gatewayAddress}/healthz`), 'ok\n', 'but for the page inside of the tunnel');

    assert.match(await ask('list'), /tablet .* online /);
    const { counters } = JSON.parse(await ask('status', '--json'));
    assert.ok(counters.tcpFlows >= FLOWS && counters.tcpRefused >= 1);
    await ask('block', 'tablet');
    const blocked = await client.attempt('curl', ['-sS', '--max-time', '2', `http://${SERVER}/page`]);
    assert.notEqual(blocked.status, 0);
    assert.equal(await curl(`http://${gatewayAddress}/healthz`), 'ok\n', 'a blocked device reaches its page');
    await ask('unblock', 'tablet');
    assert.equal(await curl(`http://${SERVER}/page`), 'a page beyond the gateway\n');
  });
});

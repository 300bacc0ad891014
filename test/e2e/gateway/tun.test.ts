/** `wiretype gateway --tun`, as root: the kernel carries the traffic, and policy judges it all the same. Topology: gateway-lab.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { waitFor } from '../../lab/wait.js';
import { openGatewayLab, SERVER } from './gateway-lab.js';

const TIMEOUT = { timeout: 240_000 };

describe('wiretype gateway --tun', () => {
  it('carries all that a stock client does, by the kernel, and leaves the host as it was', TIMEOUT, async (t) => {
    const { client, gateway, program, startAgain, ask, checksum, gatewayAddress } = await openGatewayLab(t, {
      isRoot: true,
      words: ['--tun'],
    });
    const curl = (...words: readonly string[]) => client.run('curl', ['-sS', '--fail', '--max-time', '60', ...words]);
    const refusedBy = async (...words: readonly string[]) =>
      (await client.attempt('curl', ['-sS', '--max-time', '5', ...words])).status;

    assert.match(await gateway.run('nft', ['list', 'tables']), /inet wiretype-wt-gateway/);
    assert.equal(await curl(`http://${SERVER}/page`), 'a page beyond the gateway\n');
    assert.equal(await curl('http://[2a01:4f8::7]/page'), 'a page beyond the gateway\n');
    const sum = await client.run('bash', ['-c', `curl -sS http://${SERVER}/big | sha256sum`]);
    assert.equal(sum.split(' ')[0], checksum);
    assert.match(await client.run('ping', ['-c', '3', '-i', '0.3', '-W', '5', SERVER]), / 0% packet loss/);
    assert.match(await client.run('ping', ['-c', '1', '-W', '5', gatewayAddress]), / 0% packet loss/);
    const udp = JSON.parse(await client.run('iperf3', ['-c', SERVER, '-u', '-b', '20M', '-t', '2', '-J']));
    assert.ok(udp.end.sum.lost_percent < 5, `${udp.end.sum.lost_percent} % lost`);
    assert.equal(await refusedBy(`http://${SERVER}:81/`), 7, 'refused at once');

    // The host, its network and the places of secrets are as closed as without --tun.
    for (const target of ['203.0.113.1:8080', '45.45.0.1:8080', '192.168.7.7', '169.254.169.254'])
      assert.notEqual(await refusedBy(`http://${target}/`), 0, target);
    assert.equal(await curl(`http://${gatewayAddress}/healthz`), 'ok\n', 'but for the page inside of the tunnel');
    const device = /inet (10\.[0-9.]+)/.exec(await client.run('ip', ['-4', 'addr', 'show', 'tablet']))![1]!;
    const back = await gateway.attempt('ping', ['-c', '1', '-W', '1', device]);
    assert.notEqual(back.status, 0, 'nobody begins a flow to a device, the host included');

    const status = JSON.parse(await ask('status', '--json'));
    assert.equal(status.uplink, 'tun');
    await ask('block', 'tablet');
    assert.notEqual(await refusedBy(`http://${SERVER}/page`), 0);
    assert.equal(await curl(`http://${gatewayAddress}/healthz`), 'ok\n', 'a blocked device reaches its page');
    await ask('unblock', 'tablet');
    assert.equal(await curl(`http://${SERVER}/page`), 'a page beyond the gateway\n');

    // An address that the host gets while the gateway runs is closed as well.
    await gateway.ip('addr add 198.41.0.4/32 dev lo');
    await waitFor('the new address to be refused', async () => {
      await refusedBy('http://198.41.0.4:8080/');
      return JSON.stringify(JSON.parse(await ask('call', 'GET', '/denials'))).includes('198.41.0.4');
    });

    program.signal('SIGKILL');
    await program.exited;
    const next = await startAgain();
    assert.equal(await curl(`http://${SERVER}/page`), 'a page beyond the gateway\n', 'after a kill');
    next.signal('SIGINT');
    assert.equal(await next.exited, 0, next.stderr);
    assert.equal(await gateway.run('nft', ['list', 'tables']), '');
    assert.doesNotMatch(await gateway.run('ip', ['link']), /wt-gateway/);
    assert.equal(await gateway.run('sysctl', ['-n', 'net.ipv6.conf.all.forwarding']), '0\n');
  });
});

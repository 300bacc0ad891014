import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { TunnelServer } from '../../src/rootless/tunnel-server.js';
import { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { traceSocket } from './socket-trace.js';
import { VirtualHosts } from './virtual-host.js';

const HOST = '10.9.0.2';

describe('a socket whose peer vanishes', { timeout: 30_000 }, () => {
  it('fails with ETIMEDOUT after the last SYN, 131 s (RFC 9293 §3.8.3)', async () => {
    const hosts = new VirtualHosts();
    hosts.isCut = true;
    const socket = new TunnelSocket(hosts.left);
    const trace = traceSocket(socket as never);
    socket.connect(80, HOST);

    const seconds = await hosts.runUntil(() => trace.at(-1)?.startsWith('close') === true);

    assert.deepEqual(trace, ['error ETIMEDOUT connect', 'close true closed true']);
    assert.ok(seconds > 130 && seconds < 133, `${seconds} s`);
  });

  it('fails with ETIMEDOUT after the last retransmission, about 924 s (RFC 9293 §3.8.3)', async () => {
    const { hosts, client, trace } = await connected({});
    hosts.isCut = true;
    client.write('into the void');

    const seconds = await hosts.runUntil(() => client.destroyed);

    assert.deepEqual(trace.slice(2), ['error ETIMEDOUT read', 'close true closed true']);
    assert.ok(seconds > 600 && seconds < 1_000, `${seconds} s`);
  });

  it('fails with ETIMEDOUT after nine probes without an answer, where keepalive is on (RFC 9293 §3.8.4)', async () => {
    const { hosts, client, trace, serverTrace } = await connected({ keepAlive: true, keepAliveInitialDelay: 60_000 });
    client.setKeepAlive(true, 10_000);
    hosts.isCut = true;

    const seconds = await hosts.runUntil(() => serverTrace.at(-1)?.startsWith('close') === true);

    for (const events of [trace, serverTrace])
      assert.deepEqual(events.slice(-2), ['error ETIMEDOUT read', 'close true closed true']);
    assert.ok(Math.abs(seconds - (60 + 9 * 75)) < 3, `${seconds} s`);
  });

  it('lives on where probes are answered', async () => {
    const { hosts, client, trace } = await connected({});
    client.setKeepAlive(true, 10_000);
    const endMs = hosts.clock.ms + 3_600_000;
    await hosts.runUntil(() => hosts.clock.ms >= endMs);
    assert.deepEqual(trace.slice(2), []);
    client.destroy();
  });
});

async function connected(options: ConstructorParameters<typeof TunnelServer>[1]): Promise<{
  hosts: VirtualHosts;
  client: TunnelSocket;
  trace: string[];
  serverTrace: string[];
}> {
  const hosts = new VirtualHosts();
  let serverTrace: string[] | undefined;
  const server = new TunnelServer(hosts.right, options, (socket) => {
    serverTrace = traceSocket(socket as never);
  });
  server.listen(80);
  const client = new TunnelSocket(hosts.left);
  const trace = traceSocket(client as never);
  client.connect(80, HOST);
  await hosts.runUntil(() => serverTrace !== undefined && !client.connecting);
  return { hosts, client, trace, serverTrace: serverTrace! };
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { TunnelServerOptions } from '../../src/rootless/tunnel-server.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { traceSocket } from './socket-trace.js';
import { SERVER, twoHosts, type VirtualNet } from './virtual-net.js';

describe('a socket whose peer vanishes', { timeout: 30_000 }, () => {
  it('fails with ETIMEDOUT after the last SYN, 131 s (RFC 9293 §3.8.3)', async () => {
    const { virtual, client } = twoHosts();
    cut(virtual);
    const trace = traceSocket(client.connect(SERVER, 80) as never);

    const seconds = await virtual.runUntil(() => trace.at(-1)?.startsWith('close') === true);

    assert.deepEqual(trace, ['error ETIMEDOUT connect', 'close true closed true']);
    assert.ok(seconds > 130 && seconds < 133, `${seconds} s`);
  });

  it('fails with ETIMEDOUT after the last retransmission, about 924 s (RFC 9293 §3.8.3)', async () => {
    const { virtual, client, trace } = await connected({});
    cut(virtual);
    client.write('into the void');

    const seconds = await virtual.runUntil(() => client.destroyed);

    assert.deepEqual(trace.slice(2), ['error ETIMEDOUT read', 'close true closed true']);
    assert.ok(seconds > 600 && seconds < 1_000, `${seconds} s`);
  });

  it('fails with ETIMEDOUT after nine probes without an answer, where keepalive is on (RFC 9293 §3.8.4)', async () => {
    const { virtual, client, trace, serverTrace } = await connected({ keepAlive: true, keepAliveInitialDelay: 60_000 });
    client.setKeepAlive(true, 10_000);
    cut(virtual);

    const seconds = await virtual.runUntil(() => serverTrace.at(-1)?.startsWith('close') === true);

    for (const events of [trace, serverTrace])
      assert.deepEqual(events.slice(-2), ['error ETIMEDOUT read', 'close true closed true']);
    assert.ok(Math.abs(seconds - (60 + 9 * 75)) < 3, `${seconds} s`);
  });

  it('lives on where probes are answered', async () => {
    const { virtual, client, trace } = await connected({});
    client.setKeepAlive(true, 10_000);
    await virtual.advance(3_600_000);
    assert.deepEqual(trace.slice(2), []);
    client.destroy();
  });
});

async function connected(options: TunnelServerOptions): Promise<{
  virtual: VirtualNet;
  client: TunnelSocket;
  trace: string[];
  serverTrace: string[];
}> {
  const { virtual, client, server } = twoHosts();
  let serverTrace: string[] | undefined;
  server.listen(
    80,
    (socket) => {
      serverTrace = traceSocket(socket as never);
    },
    options,
  );
  const socket = client.connect(SERVER, 80);
  const trace = traceSocket(socket as never);
  await virtual.runUntil(() => serverTrace !== undefined && !socket.connecting);
  return { virtual, client: socket, trace, serverTrace: serverTrace! };
}

/** Packets vanish from now on. */
function cut({ hosts }: VirtualNet): void {
  for (const host of hosts) host.filter = () => false;
}

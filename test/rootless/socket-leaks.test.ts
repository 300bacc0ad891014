import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { TunnelServer } from '../../src/rootless/tunnel-server.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { takeSnapshot } from '../sim/object-snapshot.js';
import { VirtualHost, VirtualNet } from './virtual-net.js';

const SERVER = '10.7.0.2';
const PORT = 80;
const CONNECTIONS = 10_000;
const AT_ONCE = 200;
/** Longer than TIME-WAIT and FIN-WAIT-2, and than the tries of a client that nobody answers. */
const FORGOTTEN_MS = 200_000;
const BYTES = Buffer.alloc(5_000, 7);

/** A host that counts what holds the process. */
class CountingHost extends VirtualHost {
  references = 0;

  override ref(): void {
    this.references++;
  }

  override unref(): void {
    this.references--;
  }
}

interface Way {
  readonly name: string;
  /** Called at once, before the connection is open. */
  readonly begin?: (client: TunnelSocket) => void;
  readonly client?: (socket: TunnelSocket) => void;
  readonly server?: (socket: TunnelSocket) => void;
  readonly port?: number;
}

const end = (socket: TunnelSocket): void => void socket.end();
const reads = (socket: TunnelSocket): void => void socket.resume();

const WAYS: readonly Way[] = [
  { name: 'the client ends', client: end, server: reads },
  { name: 'the server ends', client: reads, server: end },
  { name: 'both end', client: (socket) => end(socket.resume()), server: (socket) => end(socket.resume()) },
  {
    name: 'both write and end',
    client: (socket) => void socket.resume().end(BYTES),
    server: (socket) => void socket.resume().end(BYTES),
  },
  { name: 'the client destroys', client: (socket) => void socket.destroy(), server: reads },
  { name: 'the server destroys', client: reads, server: (socket) => void socket.destroy() },
  { name: 'both destroy', client: (socket) => void socket.destroy(), server: (socket) => void socket.destroy() },
  { name: 'the client resets', client: (socket) => void setImmediate(() => socket.resetAndDestroy()), server: reads },
  { name: 'the client resets before the server takes it', client: (socket) => void socket.resetAndDestroy() },
  { name: 'the server resets', client: reads, server: (socket) => void socket.resetAndDestroy() },
  {
    name: 'the client destroys with bytes unread',
    client: (socket) => void setImmediate(() => socket.pause().destroy()),
    server: (socket) => void socket.resume().write(BYTES),
  },
  {
    name: 'the server destroys with an error',
    client: (socket) => void socket.resume().write(BYTES),
    server: (socket) => void socket.destroy(new Error('the program’s own')),
  },
  { name: 'the client destroys soon', client: (socket) => void socket.destroySoon(), server: reads },
  { name: 'nobody listens', port: 81 },
  { name: 'destroyed before it is open', begin: (socket) => void socket.destroy() },
  { name: 'ended before it is open', begin: (socket) => void socket.end(), server: reads },
  { name: 'written to and ended before it is open', begin: (socket) => void socket.end(BYTES), server: reads },
];

class Program {
  readonly net = new VirtualNet();
  readonly client = new CountingHost(this.net, ['10.7.0.1']);
  readonly host = new CountingHost(this.net, [SERVER]);
  readonly server: TunnelServer;
  open = 0;
  readonly #ways = new Map<number, Way>();

  constructor() {
    this.client.peer = this.host;
    this.host.peer = this.client;
    this.net.hosts.push(this.client, this.host);
    this.server = this.host.listen(PORT, (socket) => {
      this.#watch(socket);
      this.#ways.get(socket.remotePort!)?.server?.(socket);
    });
  }

  connect(way: Way): void {
    const socket = this.client.connect(SERVER, way.port ?? PORT);
    this.#watch(socket);
    socket.once('connect', () => {
      this.#ways.set(socket.localPort!, way);
      way.client?.(socket);
    });
    way.begin?.(socket);
  }

  #watch(socket: TunnelSocket): void {
    this.open++;
    socket.on('error', () => {});
    socket.once('close', () => {
      this.open--;
    });
  }

  async settle(): Promise<void> {
    await this.net.advance(1_000);
  }

  /** Tests that both hosts have forgotten everything but the server's listener. */
  async assertForgotten(name: string): Promise<void> {
    await this.net.advance(FORGOTTEN_MS);
    assert.equal(this.open, 0, `${name}: sockets without close`);
    assert.deepEqual([this.client.references, this.host.references], [0, 1], `${name}: references`);
    for (const { loop } of this.net.hosts) {
      const { stack } = loop;
      assert.equal(stack.tcp.flowCount, 0, `${name}: records`);
      assert.equal(stack.pool.usedBytes, 0, `${name}: memory`);
      assert.equal(stack.nextDeadline(), Infinity, `${name}: a deadline`);
      assert.equal(stack.hasOutput, false, `${name}: a packet`);
    }
    assert.deepEqual(this.net.hosts.map(watched), ['0', '1'], `${name}: watched by the loop`);
    const count = await new Promise((resolve) => this.server.getConnections((_, n) => resolve(n)));
    assert.equal(count, 0, `${name}: sockets of the server`);
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
    assert.equal(this.host.references, 0);
    assert.equal(watched(this.host), '0');
  }
}

/** @returns How many flows and listeners the loop hands events to. */
function watched({ loop }: VirtualHost): string | undefined {
  return takeSnapshot(loop, [/#(clock|echoes)/, /\.(stack|tun)/, /#listeners\[/]).get('.#listeners.size');
}

describe('sockets that ended', { timeout: 120_000 }, () => {
  for (const way of WAYS)
    it(`leave nothing behind: ${way.name}`, async () => {
      const program = new Program();
      for (let i = 0; i < 20; i++) program.connect(way);
      await program.settle();
      await program.assertForgotten(way.name);
      await program.close();
    });

  it(`leave nothing behind: ${CONNECTIONS} of them, each way in turn`, async () => {
    const program = new Program();
    for (let i = 0; i < CONNECTIONS; i += AT_ONCE) {
      for (let n = i; n < i + AT_ONCE; n++) program.connect(WAYS[n % WAYS.length]!);
      await program.settle();
    }
    await program.assertForgotten('all ways');
    await program.close();
  });
});

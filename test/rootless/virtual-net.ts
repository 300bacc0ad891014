/** Stacks in this process, linked in pairs, on virtual time: the sockets of the library without tunnels below them. */
import type { LookupAddress } from 'node:dns';
import { setImmediate } from 'node:timers/promises';
import { parseIpAddress } from '../../src/control/ip-text.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import type { TunnelSocketOptions } from '../../src/rootless/socket-options.js';
import { StackLoop } from '../../src/rootless/stack-loop.js';
import { TunnelServer, type TunnelServerOptions } from '../../src/rootless/tunnel-server.js';
import { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { TunnelUdpSocket } from '../../src/rootless/tunnel-udp-socket.js';

/** Turns of the event loop without a packet after which nothing more is on its way. */
const QUIET_TURNS = 4;

export const CLIENT = '10.0.0.1';
export const SERVER = '10.0.0.2';

/** One host of the net. */
export class VirtualHost {
  readonly loop: StackLoop;
  peer: VirtualHost | undefined;
  /** Decides about each packet that leaves. */
  filter: (packet: Uint8Array) => boolean = () => true;
  packets = 0;
  readonly #batch = new PacketBatch(256, 1024 * 1024);

  constructor(net: VirtualNet, addresses: readonly string[]) {
    const clock = { nowMs: () => net.nowMs, suspensions: 0, callAt: () => ({ cancel() {} }), callSoon: queueMicrotask };
    this.loop = new StackLoop({
      name: 'virtual',
      clock,
      addresses: addresses.map((a) => parseIpAddress(a)!),
      mtu: 1_420,
    });
    this.loop.tun.onReadable = () => this.pump();
  }

  lookup(host: string): Promise<LookupAddress[]> {
    return Promise.resolve([{ address: host, family: host.includes(':') ? 6 : 4 }]);
  }

  ref(): void {}

  unref(): void {}

  connect(host: string, port: number, options: TunnelSocketOptions = {}): TunnelSocket {
    return new TunnelSocket(this, options).connect({ host, port });
  }

  listen(port: number, onConnection: (socket: TunnelSocket) => void, options: TunnelServerOptions = {}): TunnelServer {
    return new TunnelServer(this, options, onConnection).listen(port);
  }

  udp(type: 'udp4' | 'udp6' = 'udp4'): TunnelUdpSocket {
    return new TunnelUdpSocket(this, type);
  }

  pump(): void {
    const batch = this.#batch;
    while (this.loop.tun.read(batch) > 0) {
      this.packets += batch.count;
      for (let row = 0; row < batch.count; row++) {
        const at = batch.offset[row]!;
        if (!this.filter(batch.bytes.subarray(at, at + batch.length[row]!))) batch.length[row] = 0;
      }
      this.peer?.loop.tun.write(batch);
    }
  }
}

export class VirtualNet {
  nowMs = 1_000;
  readonly hosts: VirtualHost[] = [];

  /** Makes two hosts with a link between them. */
  pair(left: readonly string[], right: readonly string[]): [VirtualHost, VirtualHost] {
    const a = new VirtualHost(this, left);
    const b = new VirtualHost(this, right);
    a.peer = b;
    b.peer = a;
    this.hosts.push(a, b);
    return [a, b];
  }

  /** Waits until nothing is on its way, without time passing. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      const before = this.#packets;
      await setImmediate();
      quiet = this.#packets === before ? quiet + 1 : 0;
    }
  }

  async advance(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await this.settle();
    for (let next = this.#nextDeadline(); next <= end; next = this.#nextDeadline()) {
      this.nowMs = Math.max(Math.ceil(next), this.nowMs);
      for (const { loop } of this.hosts) loop.tun.runDue(this.nowMs);
      for (const host of this.hosts) host.pump();
      await this.settle();
    }
    this.nowMs = end;
  }

  get #packets(): number {
    return this.hosts.reduce((sum, host) => sum + host.packets, 0);
  }

  #nextDeadline(): number {
    return Math.min(...this.hosts.map(({ loop }) => loop.tun.nextDeadline()));
  }
}

/** Makes a net of two hosts, a client and a server. */
export function twoHosts() {
  const virtual = new VirtualNet();
  const [client, server] = virtual.pair([CLIENT, 'fd00::1'], [SERVER, 'fd00::2']);
  return { virtual, client, server };
}

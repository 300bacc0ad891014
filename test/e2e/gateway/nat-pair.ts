/** A device and a NAT in one process, joined without a tunnel; the NAT's sockets are ordinary ones. */
import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { Denials } from '../../../src/gateway/nat/denials.js';
import { createNatCounters, type NatCounters } from '../../../src/gateway/nat/nat-counters.js';
import { type TcpLimits, TcpNat } from '../../../src/gateway/nat/tcp-nat.js';
import { UdpNat } from '../../../src/gateway/nat/udp-nat.js';
import { SystemClock } from '../../../src/host/system-clock.js';
import type { Decision, Flow } from '../../../src/policy/access.js';
import type { SocketHost } from '../../../src/rootless/socket-host.js';
import { StackLoop } from '../../../src/rootless/stack-loop.js';
import { TunnelSocket } from '../../../src/rootless/tunnel-socket.js';
import { TunnelUdpSocket } from '../../../src/rootless/tunnel-udp-socket.js';

const BATCH_ROWS = 128;
const BATCH_BYTES = 1024 * 1024;
const MTU = 1_420;
const DEVICE = Uint8Array.of(10, 9, 0, 2);
const GATEWAY = Uint8Array.of(10, 9, 0, 1);

export class NatPair implements Disposable {
  readonly counters: NatCounters = createNatCounters();
  readonly denials = new Denials();
  readonly tcp: TcpNat;
  readonly udp: UdpNat;
  decision: Decision = { isAllowed: true, reason: 'switch', switch: 'internet' };
  readonly #host: SocketHost;
  readonly #timer: NodeJS.Timeout;

  constructor(limits?: TcpLimits) {
    const clock = SystemClock.create(undefined);
    const device = new StackLoop({ name: 'device', clock, addresses: [DEVICE], mtu: MTU });
    const loop = new StackLoop({ name: 'nat', clock, addresses: [GATEWAY], mtu: MTU, acceptsAny: true });
    const { counters, denials } = this;
    const decide = (flow: Flow): Decision => {
      if (!this.decision.isAllowed) denials.add(flow, this.decision, Date.now());
      return this.decision;
    };
    const policy = { decide, explain: () => this.decision };
    const host = { loop, policy, counters, deviceOf: () => 'phone', onConnected: () => {} };
    this.tcp = new TcpNat(host, limits);
    this.udp = new UdpNat(host);
    join(device, loop);
    join(loop, device);
    this.#host = { loop: device, lookup: () => Promise.resolve([]), ref: () => {}, unref: () => {} };
    this.#timer = setInterval(() => {
      for (const side of [device, loop]) if (side.tun.nextDeadline() <= clock.nowMs()) side.tun.runDue(clock.nowMs());
    }, 5);
  }

  connect(host: string, port: number): TunnelSocket {
    return new TunnelSocket(this.#host, { allowHalfOpen: true }).connect(port, host);
  }

  udpSocket(): TunnelUdpSocket {
    return new TunnelUdpSocket(this.#host, 'udp4');
  }

  [Symbol.dispose](): void {
    this.tcp.close();
    this.udp.close();
    clearInterval(this.#timer);
  }
}

function join(from: StackLoop, to: StackLoop): void {
  const batch = new PacketBatch(BATCH_ROWS, BATCH_BYTES);
  from.tun.onReadable = () => {
    while (from.tun.read(batch) > 0) to.tun.write(batch);
  };
}

/** A stack that takes packets one at a time, and shows which of its counters moved. */
import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { Netstack } from '../../../src/netstack/netstack.js';
import type { UdpEndpoint } from '../../../src/netstack/udp/udp-endpoint.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { type Family, HOST, HOST_PORT, ICMP, ICMPV6, icmpMessage, icmpProtocol, ipPacket } from './packets.js';

const batch = new PacketBatch(64, 512 * 1024);

export class Host {
  readonly stack: Netstack;
  readonly udp: UdpEndpoint;
  nowMs = 1_000;

  constructor(options: { verifiesChecksums?: boolean } = {}) {
    const random = new SeededRandom(1);
    const environment = { random: (out: Uint8Array) => random.fill(out), keyedHash: () => 5 };
    this.stack = new Netstack({ environment, addresses: [HOST.IPv4, HOST.IPv6], mtu: 1_420, ...options });
    this.udp = this.stack.udp.bind(undefined, HOST_PORT)!;
    this.stack.tcp.listen(undefined, HOST_PORT);
  }

  /** @returns What left in answer. */
  deliver(packet: Uint8Array): Uint8Array[] {
    batch.clear();
    const row = batch.appendRow(packet.length);
    if (row < 0) throw new Error('the packet is too long for the batch');
    batch.bytes.set(packet, batch.offset[row]);
    this.stack.write(batch, this.nowMs);
    return this.drain();
  }

  drain(): Uint8Array[] {
    while (this.stack.tcp.takeEvent() !== undefined);
    while (this.stack.udp.takeEvent() !== undefined);
    const answers: Uint8Array[] = [];
    while (this.stack.read(batch, this.nowMs) > 0)
      for (let i = 0; i < batch.count; i++) {
        const at = batch.offset[i]!;
        answers.push(batch.bytes.slice(at, at + batch.length[i]!));
      }
    return answers;
  }

  /** Packets that were not taken, by reason. */
  counters(): Readonly<Record<string, number>> {
    const { stack } = this;
    return {
      ...stack.counters,
      tcp: stack.tcp.malformed,
      udp: stack.udp.malformed,
      icmp: stack.icmp.malformed,
      fragments: stack.fragmentsDropped,
    };
  }

  /** @returns The names of the counters that this packet moved, once for each step. */
  reasons(packet: Uint8Array): string[] {
    const before = this.counters();
    this.deliver(packet);
    const after = this.counters();
    return Object.keys(after).flatMap((name) => Array(after[name]! - before[name]!).fill(name) as string[]);
  }

  takeDatagrams(): Uint8Array[] {
    const all: Uint8Array[] = [];
    for (let next = this.udp.receive(); next !== undefined; next = this.udp.receive()) all.push(next.data);
    return all;
  }

  /** Tests whether the stack still answers a ping over a family. */
  isAlive(family: Family): boolean {
    const request = icmpMessage(family, family === 'IPv4' ? 8 : 128, 0, [0, 1, 0, 1, 42]);
    const answers = this.deliver(ipPacket(family, icmpProtocol(family), request));
    return answers.some((packet) => {
      const isIpv4 = packet[0]! >> 4 === 4;
      const protocol = isIpv4 ? packet[9] : packet[6];
      const type = packet[isIpv4 ? 20 : 40];
      return (protocol === ICMP && type === 0) || (protocol === ICMPV6 && type === 129);
    });
  }
}

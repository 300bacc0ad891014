import { formatIpAddress } from '../../control/ip-text.js';
import type { DnsForwarder } from '../dns/dns-forwarder.js';
import type { LiveFlow } from '../gateway-service.js';
import type { Denials } from './denials.js';
import type { EchoNat } from './echo-nat.js';
import type { NatCounters } from './nat-counters.js';
import type { TcpNat } from './tcp-nat.js';
import type { UdpNat } from './udp-nat.js';

export interface NatParts {
  readonly tcp: TcpNat;
  readonly udp: UdpNat;
  readonly echo: EchoNat;
  readonly dns: DnsForwarder;
  readonly denials: Denials;
  readonly counters: NatCounters;
  readonly limitations: readonly { readonly what: string; readonly reason: string }[];
}

/** Everything that carries flows of devices to the host's network. */
export class Nat {
  readonly denials: Denials;
  readonly limitations: NatParts['limitations'];
  readonly #parts: NatParts;

  constructor(parts: NatParts) {
    this.#parts = parts;
    this.denials = parts.denials;
    this.limitations = parts.limitations;
  }

  get counters(): Readonly<Record<string, number>> {
    const { tcp, udp, dns, counters } = this.#parts;
    return { ...counters, ...dns.counters, tcpOpen: tcp.count, udpOpen: udp.count };
  }

  flowsOf(device: string): LiveFlow[] {
    const { tcp, udp } = this.#parts;
    return [...tcp.relaysOf(device), ...udp.mappingsOf(device).map(latestFlow)].flatMap((flow) =>
      flow === undefined ? [] : [liveFlow(flow)],
    );
  }

  /** Ends the flows that policy no longer allows. */
  judgeAgain(): void {
    this.#parts.tcp.judgeAgain();
    this.#parts.udp.judgeAgain();
  }

  endFlowsOf(device: string): void {
    for (const part of [this.#parts.tcp, this.#parts.udp, this.#parts.echo]) part.endFlowsOf(device);
  }

  close(): void {
    for (const part of [this.#parts.tcp, this.#parts.udp, this.#parts.echo, this.#parts.dns]) part.close();
  }
}

type Counted = Pick<LiveFlow, 'sinceUnixMs' | 'receivedBytes' | 'sentBytes'> & {
  readonly flow: { device: string; protocol: string; destination: Uint8Array; port: number };
};

function liveFlow({ flow, sinceUnixMs, receivedBytes, sentBytes }: Counted): LiveFlow {
  const { device, port } = flow;
  const destination = formatIpAddress(flow.destination);
  return {
    device,
    protocol: flow.protocol as LiveFlow['protocol'],
    destination,
    port,
    sinceUnixMs,
    receivedBytes,
    sentBytes,
  };
}

/** A mapping as the flow to the target that was written to last. */
function latestFlow(mapping: ReturnType<UdpNat['mappingsOf']>[number]): Counted | undefined {
  const flow = [...mapping.targets.values()].at(-1);
  return flow === undefined ? undefined : { ...mapping, flow };
}

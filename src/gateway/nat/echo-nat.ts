import { formatIpAddress } from '../../control/ip-text.js';
import { addressBytes, isIpv4Address } from '../../netstack/address.js';
import type { EchoRequest } from '../../netstack/icmp/echo.js';
import type { EchoFlow, EchoSender } from '../ping/echo-sender.js';
import { admit } from './admission.js';
import type { NatHost } from './nat-host.js';

/** RFC 5508 REQ-2: 60 seconds at least. */
const IDLE_MS = 60_000;
const MAX_FLOWS_PER_DEVICE = 256;
/** How often a device is told that pings do not work here. */
const REFUSAL_MS = 60_000;

interface EchoMapping {
  readonly key: string;
  readonly device: string;
  readonly flow: EchoFlow;
  lastSentMs: number;
}

/**
 * Pings of devices: each flow, of one identifier to one address, has a flow of its own on the host.
 *
 * Source: RFC 5508 §3.
 */
export class EchoNat {
  readonly #host: NatHost;
  readonly #sender: EchoSender | undefined;
  /** The one that was used longest ago comes first. */
  readonly #mappings = new Map<string, EchoMapping>();
  readonly #refusedMs = new Map<string, number>();
  #sweeper: NodeJS.Timeout | undefined;

  /** @param sender Absent: this host cannot send echoes. */
  constructor(host: NatHost, sender: EchoSender | undefined) {
    this.#host = host;
    this.#sender = sender;
    host.loop.stack.icmp.onEcho = (request) => this.#take(request);
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const mapping of this.#mappings.values()) this.#remove(mapping);
  }

  endFlowsOf(device: string): void {
    for (const mapping of this.#mappings.values()) if (mapping.device === device) this.#remove(mapping);
  }

  #take(request: EchoRequest): void {
    const device = admit(this.#host, { ...request, protocol: 'icmp', port: 0 });
    if (device === undefined) this.#refuse(request);
    else if (this.#sender === undefined) this.#refuseOnceAMinute(request, device);
    else {
      const mapping = this.#mappingOf(request, device, this.#sender);
      this.#mappings.delete(mapping.key);
      this.#mappings.set(mapping.key, mapping);
      mapping.lastSentMs = this.#host.loop.nowMs;
      const target = formatIpAddress(addressBytes(request.local));
      mapping.flow.send({ target, family: familyOf(request), sequence: request.sequence, data: request.data });
    }
  }

  #mappingOf(request: EchoRequest, device: string, sender: EchoSender): EchoMapping {
    const key = `${device} ${request.remote.join()} ${request.local.join()} ${request.identifier}`;
    const found = this.#mappings.get(key);
    if (found !== undefined) return found;
    this.#makeRoom(device);
    const flow = sender.open(familyOf(request), (sequence, data) => {
      this.#host.loop.stack.icmp.reply({ ...request, sequence, data });
      this.#host.loop.wake();
    });
    const mapping: EchoMapping = { key, device, flow, lastSentMs: this.#host.loop.nowMs };
    this.#mappings.set(key, mapping);
    this.#sweeper ??= setInterval(() => this.#expire(), IDLE_MS / 2).unref();
    return mapping;
  }

  #makeRoom(device: string): void {
    const own = [...this.#mappings.values()].filter((mapping) => mapping.device === device);
    if (own.length < MAX_FLOWS_PER_DEVICE) return;
    this.#host.counters.echoesEvicted++;
    this.#remove(own[0]!);
  }

  #expire(): void {
    const { nowMs } = this.#host.loop;
    for (const mapping of this.#mappings.values()) if (nowMs - mapping.lastSentMs >= IDLE_MS) this.#remove(mapping);
    if (this.#mappings.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #refuseOnceAMinute(request: EchoRequest, device: string): void {
    const { nowMs } = this.#host.loop;
    if (nowMs - (this.#refusedMs.get(device) ?? -Infinity) < REFUSAL_MS) return;
    this.#refusedMs.set(device, nowMs);
    this.#refuse(request);
  }

  #refuse(request: EchoRequest): void {
    this.#host.counters.echoesRefused++;
    this.#host.loop.stack.icmp.refuse(request, 'prohibited', this.#host.loop.nowMs);
    this.#host.loop.wake();
  }

  #remove(mapping: EchoMapping): void {
    if (this.#mappings.delete(mapping.key)) mapping.flow.close();
  }
}

function familyOf({ remote }: EchoRequest): 4 | 6 {
  return isIpv4Address(remote) ? 4 : 6;
}

import type { RemoteInfo } from 'node:dgram';

import type { Addon } from '../../addon/interface.js';
import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';
import { addressBytes, addressWords, isIpv4Address } from '../../netstack/address.js';
import type { Refused } from '../../netstack/icmp/refused.js';
import type { StrayDatagram } from '../../netstack/udp/udp.js';
import type { Flow } from '../../policy/access.js';
import { findAddon } from '../../rootless/engine.js';
import { admit, isOwnAddress } from './admission.js';
import { Burst } from './burst.js';
import { MappedSocket } from './mapped-socket.js';
import type { NatHost } from './nat-host.js';
import { refusalOf } from './refusals.js';

/** RFC 4787 REQ-5: five minutes are recommended. */
const MAPPING_MS = 300_000;
/** A mapping that asked resolvers only. */
const DNS_MAPPING_MS = 10_000;
const SWEEP_MS = 5_000;
const DNS_PORT = 53;
const MAX_TARGETS = 1_024;

export interface UdpLimits {
  readonly perDevice: number;
  readonly inAll: number;
}

export const UDP_LIMITS: UdpLimits = { perDevice: 1_024, inAll: 4_096 };

/** One address and port of a device, and the host's socket that stands for it (RFC 4787 REQ-1). */
export interface Mapping {
  readonly key: string;
  readonly device: string;
  readonly client: Int32Array;
  readonly clientPort: number;
  readonly socket: MappedSocket;
  /** Addresses that the device wrote to, which may write back (REQ-8), with the last flow to each. */
  readonly targets: Map<string, Flow>;
  readonly sinceUnixMs: number;
  receivedBytes: number;
  sentBytes: number;
  isDnsOnly: boolean;
  /** The device's last datagram: an error that comes in is about it. */
  lastSent: Refused | undefined;
  /** REQ-6: only datagrams of the device keep it. */
  lastSentMs: number;
}

/**
 * Datagrams of devices: endpoint-independent mapping, address-dependent filtering.
 *
 * Source: RFC 4787.
 */
export class UdpNat {
  readonly #host: NatHost;
  readonly #limits: UdpLimits;
  readonly #burst: Burst | undefined;
  /** The one that was used longest ago comes first. */
  readonly #mappings = new Map<string, Mapping>();
  readonly #counts = new Map<string, number>();
  /** Runs while there are mappings. */
  #sweeper: NodeJS.Timeout | undefined;

  /** @param addon Absent: each datagram is a call of the system. */
  constructor(host: NatHost, limits: UdpLimits = UDP_LIMITS, addon: Addon | undefined = findAddon()) {
    this.#burst = addon === undefined ? undefined : new Burst(addon);
    this.#host = host;
    this.#limits = limits;
    host.loop.stack.udp.onDatagram = (datagram) => this.#take(datagram);
  }

  get count(): number {
    return this.#mappings.size;
  }

  mappingsOf(device: string): Mapping[] {
    return [...this.#mappings.values()].filter((mapping) => mapping.device === device);
  }

  endFlowsOf(device: string): void {
    for (const mapping of this.mappingsOf(device)) this.#remove(mapping);
  }

  /** Forgets the targets that policy no longer allows. */
  judgeAgain(): void {
    const { policy, counters } = this.#host;
    for (const { targets } of this.#mappings.values())
      for (const [target, flow] of targets) {
        if (policy.explain(flow).isAllowed) continue;
        counters.judgedAgain++;
        targets.delete(target);
      }
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const mapping of this.#mappings.values()) this.#remove(mapping);
  }

  /** Ends the mappings that were not used for too long. */
  expire(nowMs: number): void {
    for (const mapping of this.#mappings.values()) {
      const lifetimeMs = mapping.isDnsOnly ? DNS_MAPPING_MS : MAPPING_MS;
      if (nowMs - mapping.lastSentMs >= lifetimeMs) this.#remove(mapping);
    }
    if (this.#mappings.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #take(datagram: StrayDatagram): boolean {
    if (isOwnAddress(this.#host, datagram.local)) return false;
    const target = formatIpAddress(addressBytes(datagram.local));
    const known = this.#mappings.get(keyOf(datagram));
    if (known?.targets.get(target)?.port === datagram.localPort) {
      this.#send(known, datagram, target);
      return true;
    }
    const device = admit(this.#host, { ...datagram, protocol: 'udp', port: datagram.localPort });
    if (device === undefined) this.#host.loop.stack.icmp.refuse(datagram, 'prohibited', this.#host.loop.nowMs);
    else this.#send(this.#mappingOf(datagram, device), datagram, target);
    return true;
  }

  #send(mapping: Mapping, datagram: StrayDatagram, target: string): void {
    const port = datagram.localPort;
    const flow = this.#flowTo(mapping, datagram, target);
    mapping.targets.delete(target);
    mapping.targets.set(target, flow);
    mapping.receivedBytes += datagram.data.length;
    if (mapping.targets.size > MAX_TARGETS) mapping.targets.delete(mapping.targets.keys().next().value!);
    mapping.isDnsOnly &&= datagram.localPort === DNS_PORT;
    mapping.lastSentMs = this.#host.loop.nowMs;
    this.#mappings.delete(mapping.key);
    this.#mappings.set(mapping.key, mapping);
    mapping.lastSent = datagram;
    const isFirst = mapping.targets.size === 1 && mapping.sentBytes === 0;
    const onError = (code?: string): void => this.#refuse(datagram, code);
    mapping.socket.send(datagram.data, target, { address: flow.destination, port, onError }, isFirst);
  }

  /** The flow is a new one for another port. */
  #flowTo({ targets, device }: Mapping, { local, localPort: port }: StrayDatagram, target: string): Flow {
    const known = targets.get(target);
    return known?.port === port ? known : { device, protocol: 'udp', destination: addressBytes(local), port };
  }

  /** A port that is closed is told as one (RFC 1122 §3.2.2.1). */
  #refuse(datagram: Refused, code: string | undefined): void {
    const how = code === 'ECONNREFUSED' ? 'port' : refusalOf(code);
    if (how === 'reset' || how === 'silence') return;
    this.#host.loop.stack.icmp.refuse(datagram, how, this.#host.loop.nowMs);
    this.#host.loop.wake();
  }

  #mappingOf(datagram: StrayDatagram, device: string): Mapping {
    const { remote, remotePort } = datagram;
    const key = keyOf(datagram);
    const found = this.#mappings.get(key);
    // An address may have become another device's.
    if (found?.device === device) return found;
    if (found !== undefined) this.#remove(found);
    this.#makeRoom(device);
    const mapping = this.#open(key, device, remote, remotePort);
    this.#mappings.set(key, mapping);
    this.#counts.set(device, (this.#counts.get(device) ?? 0) + 1);
    this.#host.counters.udpMappings++;
    this.#sweeper ??= setInterval(() => this.expire(this.#host.loop.nowMs), SWEEP_MS).unref();
    return mapping;
  }

  #open(key: string, device: string, client: Int32Array, clientPort: number): Mapping {
    const lastSentMs = this.#host.loop.nowMs;
    const mapping: Mapping = {
      key,
      device,
      client,
      clientPort,
      socket: new MappedSocket(
        isIpv4Address(client) ? 4 : 6,
        {
          onMessage: (message, from) => this.#receive(mapping, message, from),
          onRefused: (code) => mapping.lastSent !== undefined && this.#refuse(mapping.lastSent, code),
          onFailed: () => this.#remove(mapping),
        },
        this.#burst,
      ),
      targets: new Map(),
      sinceUnixMs: Date.now(),
      receivedBytes: 0,
      sentBytes: 0,
      isDnsOnly: true,
      lastSent: undefined,
      lastSentMs,
    };
    return mapping;
  }

  #receive(mapping: Mapping, message: Buffer, { address, port }: RemoteInfo): void {
    const source = mapping.targets.has(address) ? parseIpAddress(address) : undefined;
    if (source === undefined) {
      this.#host.counters.udpFiltered++;
      return;
    }
    mapping.sentBytes += message.length;
    this.#host.loop.stack.udp.send(addressWords(source), port, mapping.client, mapping.clientPort, message);
    this.#host.loop.wake();
  }

  #makeRoom(device: string): void {
    const isDeviceFull = (this.#counts.get(device) ?? 0) >= this.#limits.perDevice;
    if (!isDeviceFull && this.#mappings.size < this.#limits.inAll) return;
    const loser = isDeviceFull ? device : this.#heaviest();
    for (const mapping of this.#mappings.values()) {
      if (mapping.device !== loser) continue;
      this.#host.counters.udpEvicted++;
      this.#remove(mapping);
      return;
    }
  }

  #heaviest(): string | undefined {
    let heaviest: [string, number] | undefined;
    for (const entry of this.#counts) if (heaviest === undefined || entry[1] > heaviest[1]) heaviest = entry;
    return heaviest?.[0];
  }

  #remove(mapping: Mapping): void {
    if (this.#mappings.get(mapping.key) !== mapping) return;
    this.#mappings.delete(mapping.key);
    const left = (this.#counts.get(mapping.device) ?? 1) - 1;
    if (left === 0) this.#counts.delete(mapping.device);
    else this.#counts.set(mapping.device, left);
    mapping.socket.close();
  }
}

function keyOf({ remote, remotePort }: StrayDatagram): string {
  return `${remote.join()} ${remotePort}`;
}

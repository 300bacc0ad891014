import { connect, type Socket } from 'node:net';

import { formatIpAddress } from '../../control/ip-text.js';
import { addressBytes } from '../../netstack/address.js';
import type { HalfOpen } from '../../netstack/tcp/half-open.js';
import type { Refusal } from '../../netstack/tcp/handshakes.js';
import type { Flow } from '../../policy/access.js';
import { admit, isOwnAddress } from './admission.js';
import type { NatHost } from './nat-host.js';
import { refusalOf } from './refusals.js';
import { TcpRelay } from './tcp-relay.js';

const READ_BUFFER_BYTES = 65_536;

export interface TcpLimits {
  readonly perDevice: number;
  readonly inAll: number;
  /** Connects in flight of one device. */
  readonly dialsPerDevice: number;
}

export const TCP_LIMITS: TcpLimits = { perDevice: 4_096, inAll: 16_384, dialsPerDevice: 1_024 };

/** The open connections of one device. */
interface DeviceFlows {
  readonly relays: Set<TcpRelay>;
  dials: number;
}

/**
 * Connections of devices, each continued by a socket of the host.
 *
 * The host connects first, and its result is the answer to the SYN: a port that is closed looks closed to the device.
 */
export class TcpNat {
  readonly #host: NatHost;
  readonly #limits: TcpLimits;
  readonly #devices = new Map<string, DeviceFlows>();
  readonly #requests = new Map<HalfOpen, TcpRelay>();
  /** Read by all sockets in turn: each copies its bytes out before the next one reads. */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  #count = 0;

  constructor(host: NatHost, limits: TcpLimits = TCP_LIMITS) {
    this.#host = host;
    this.#limits = limits;
    const { handshakes } = host.loop.stack.tcp;
    handshakes.onSyn = (request) => this.#ask(request);
    handshakes.onSynGone = (request) => {
      this.#requests.get(request)?.abort();
      this.#requests.delete(request);
    };
    handshakes.onFlow = (request) => {
      this.#requests.get(request)?.start(request.flow!);
      this.#requests.delete(request);
    };
  }

  /** Connections and attempts. */
  get count(): number {
    return this.#count;
  }

  /** The connections of a device. */
  relaysOf(device: string): Iterable<TcpRelay> {
    return this.#devices.get(device)?.relays ?? [];
  }

  /** Ends the connections that policy no longer allows. */
  judgeAgain(): void {
    const { policy, counters } = this.#host;
    for (const { relays } of this.#devices.values())
      for (const relay of relays) {
        if (policy.explain(relay.flow).isAllowed) continue;
        counters.judgedAgain++;
        relay.abort();
      }
  }

  endFlowsOf(device: string): void {
    for (const relay of this.relaysOf(device)) relay.abort();
  }

  close(): void {
    for (const { relays } of this.#devices.values()) for (const relay of relays) relay.abort();
  }

  #ask(request: HalfOpen): void {
    if (isOwnAddress(this.#host, request.local)) {
      this.#refuse(request, 'reset');
      return;
    }
    const device = admit(this.#host, { ...request, protocol: 'tcp', port: request.localPort });
    if (device === undefined) this.#refuse(request, 'prohibited');
    else if (this.#makeRoom(device)) this.#dial(request, device);
    else {
      this.#host.counters.tcpLimited++;
      this.#refuse(request, 'reset');
    }
  }

  #dial(request: HalfOpen, device: string): void {
    const socket = connect({
      host: formatIpAddress(addressBytes(request.local)),
      port: request.localPort,
      allowHalfOpen: true,
      onread: {
        buffer: this.#buffer,
        callback: (count, buffer) => relay.takeFromHost(buffer.subarray(0, count)),
      },
    });
    const flow: Flow = { device, protocol: 'tcp', destination: addressBytes(request.local), port: request.localPort };
    const relay = new TcpRelay(this.#host.loop, flow, socket);
    this.#requests.set(request, relay);
    this.#track(relay, socket);
    socket.once('connect', () => {
      relay.connected();
      this.#host.counters.tcpFlows++;
      this.#host.onConnected(device);
      this.#host.loop.stack.tcp.handshakes.accept(request, this.#host.loop.nowMs);
      this.#host.loop.wake();
    });
    let failure: NodeJS.ErrnoException | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.once('close', () => {
      relay.hostClosed(failure !== undefined);
      // The host may end before the client's last ACK came: the flow then takes what was read, and is over.
      if (!this.#requests.has(request) || (request.isAccepted && failure === undefined)) return;
      this.#requests.delete(request);
      this.#refuse(request, refusalOf(failure?.code));
    });
  }

  #refuse(request: HalfOpen, how: Refusal): void {
    if (request.isOver) return;
    this.#host.counters.tcpRefused++;
    this.#host.loop.stack.tcp.handshakes.refuse(request, how, this.#host.loop.nowMs);
    this.#host.loop.wake();
  }

  /** Counts a relay until its socket is closed. */
  #track(relay: TcpRelay, socket: Socket): void {
    const flows = this.#devices.get(relay.flow.device) ?? { relays: new Set(), dials: 0 };
    this.#devices.set(relay.flow.device, flows);
    flows.relays.add(relay);
    flows.dials++;
    this.#count++;
    let isDialling = true;
    const dialled = (): void => {
      if (isDialling) flows.dials--;
      isDialling = false;
    };
    socket.once('connect', dialled);
    socket.once('close', () => {
      dialled();
      this.#count--;
      flows.relays.delete(relay);
      const isCurrent = this.#devices.get(relay.flow.device) === flows;
      if (isCurrent && flows.relays.size === 0) this.#devices.delete(relay.flow.device);
    });
  }

  /** The device that has most gives up what it used longest ago. */
  #makeRoom(device: string): boolean {
    const own = this.#devices.get(device);
    if (own !== undefined && own.dials >= this.#limits.dialsPerDevice) return false;
    if (own !== undefined && own.relays.size >= this.#limits.perDevice) this.#evict(own.relays);
    else if (this.#count >= this.#limits.inAll) {
      const sets = [...this.#devices.values()].map(({ relays }) => relays);
      this.#evict(sets.reduce((most, relays) => (relays.size > most.size ? relays : most)));
    }
    return true;
  }

  #evict(relays: Set<TcpRelay>): void {
    let oldest: TcpRelay | undefined;
    for (const relay of relays) if (oldest === undefined || relay.lastActiveMs < oldest.lastActiveMs) oldest = relay;
    if (oldest === undefined) return;
    this.#host.counters.tcpEvicted++;
    // Its socket closes in a later turn: the next one to be given up in this turn is another.
    relays.delete(oldest);
    oldest.abort();
  }
}

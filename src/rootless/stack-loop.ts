import { randomFillSync, randomInt } from 'node:crypto';

import type { Crypto } from '../core/ports.js';
import { secretBytes } from '../core/secret-bytes.js';
import { NodeCrypto } from '../crypto/node-crypto.js';
import type { Clock } from '../host/clock.js';
import { NetstackTun } from '../host/netstack-tun.js';
import type { EchoReply } from '../netstack/icmp/icmp.js';
import { Netstack } from '../netstack/netstack.js';
import type { Segmenter } from '../netstack/segments/segmenter.js';
import { TcpListener } from '../netstack/tcp/listener.js';
import type { TcpFlow } from '../netstack/tcp/tcp-flow.js';
import type { UdpEndpoint } from '../netstack/udp/udp-endpoint.js';

const SECRET_BYTES = 32;
const MAC_BYTES = 16;
const ECHO_IDENTIFIERS = 65_536;

export interface StackLoopOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly segmenter?: Segmenter | undefined;
  /** Default: that of Node. */
  readonly crypto?: Crypto;
  /** 4 or 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
  readonly mtu: number;
  /** See `NetstackOptions`. */
  readonly acceptsAny?: boolean;
}

/** Learns what happened to a flow, a listener or a UDP port. */
export type StackListener = (events: number) => void;

/**
 * A stack with its TUN, and the events between the stack and the sockets of a program.
 *
 * Events are handed out in a microtask, never inside of the loop that moves packets: what a program throws in its handlers is
 * the program's own uncaught exception.
 */
export class StackLoop {
  readonly stack: Netstack;
  readonly tun: NetstackTun;
  readonly #clock: Clock;
  readonly #listeners = new Map<TcpFlow | TcpListener | UdpEndpoint, StackListener>();
  readonly #echoes = new Map<number, (reply: EchoReply) => void>();
  #isDraining = false;

  constructor({
    name,
    clock,
    segmenter,
    crypto = new NodeCrypto(),
    addresses,
    mtu,
    acceptsAny = false,
  }: StackLoopOptions) {
    const secret = randomFillSync(secretBytes(SECRET_BYTES));
    const mac = new DataView(new ArrayBuffer(MAC_BYTES));
    const macBytes = new Uint8Array(mac.buffer);
    this.#clock = clock;
    this.stack = new Netstack({
      environment: {
        random: (out) => void randomFillSync(out),
        keyedHash: (data) => {
          crypto.mac(macBytes, secret, data);
          return mac.getInt32(0);
        },
      },
      addresses,
      mtu,
      segmenter,
      acceptsAny,
    });
    this.tun = new NetstackTun(name, this.stack, clock);
    this.tun.onWork = () => this.#drainSoon();
  }

  get nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Has `listener` called with the event bits of `source`, until `forget`. */
  listen(source: TcpFlow | TcpListener | UdpEndpoint, listener: StackListener): void {
    this.#listeners.set(source, listener);
  }

  forget(source: TcpFlow | TcpListener | UdpEndpoint): void {
    this.#listeners.delete(source);
  }

  /**
   * Hands the replies to a program's echo requests to `listener`, until `closeEcho`.
   *
   * @returns The identifier to send them with, which nobody else has; `undefined` if all are in use.
   */
  openEcho(listener: (reply: EchoReply) => void): number | undefined {
    if (this.#echoes.size >= ECHO_IDENTIFIERS) return undefined;
    let identifier = randomInt(ECHO_IDENTIFIERS);
    while (this.#echoes.has(identifier)) identifier = (identifier + 1) % ECHO_IDENTIFIERS;
    this.#echoes.set(identifier, listener);
    return identifier;
  }

  closeEcho(identifier: number): void {
    this.#echoes.delete(identifier);
  }

  /** Echo requests that wait for their replies. */
  get openEchoes(): number {
    return this.#echoes.size;
  }

  /** A peer has a session from now on: what waited for it goes on. */
  sessionBegan(): void {
    this.stack.tcp.repeatSyns();
    this.wake();
  }

  /** Sends what a socket wrote, and hands out what came of it. */
  wake(): void {
    this.tun.wake();
    this.#drainSoon();
  }

  #drainSoon(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    queueMicrotask(() => {
      this.#isDraining = false;
      this.#drain();
      if (this.stack.hasOutput) this.tun.wake();
    });
  }

  #drain(): void {
    const { tcp, udp, icmp } = this.stack;
    for (let source = tcp.takeEvent(); source !== undefined; source = tcp.takeEvent()) {
      const events = source instanceof TcpListener ? 0 : source.events;
      if (!(source instanceof TcpListener)) source.events = 0;
      this.#listeners.get(source)?.(events);
    }
    for (let endpoint = udp.takeEvent(); endpoint !== undefined; endpoint = udp.takeEvent()) {
      const { events } = endpoint;
      endpoint.events = 0;
      this.#listeners.get(endpoint)?.(events);
    }
    for (const reply of icmp.replies.splice(0)) this.#echoes.get(reply.identifier)?.(reply);
  }
}

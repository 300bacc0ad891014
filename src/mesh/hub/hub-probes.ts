import { PacketBatch } from '../../core/packets/packet-batch.js';
import type { Crypto } from '../../core/ports.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import type { Endpoint } from '../../wire/endpoint.js';
import { ProbeAnswers } from '../probes/probe-answers.js';
import { ProbeKeys } from '../probes/probe-keys.js';
import { ProbeSocket } from '../probes/probe-socket.js';
import { parseStun } from '../probes/stun-message.js';

const BATCH_ROWS = 64;
const BATCH_BYTES = 64 * 1_024;

export interface HubProbesOptions {
  readonly crypto: Crypto;
  /** 32 bytes, copied. */
  readonly privateKey: Uint8Array;
  /** Public keys of the nodes that may be at an address: that of the endpoint first, then those of the same host. */
  readonly hostsAt: (endpoint: Endpoint) => Iterable<Uint8Array>;
  readonly nowMs: () => number;
}

/**
 * Answers the probes of agents at the hub's port and at a second one: an agent whose two answers show different ports is behind
 * a NAT that maps by destination.
 */
export class HubProbes {
  readonly answers: ProbeAnswers;
  readonly #options: HubProbesOptions;
  readonly #keys: ProbeKeys;
  #second: DatagramSocket | undefined;

  constructor(options: HubProbesOptions) {
    this.#options = options;
    this.#keys = new ProbeKeys(options.crypto);
    this.#keys.setPrivateKey(options.privateKey);
    this.answers = new ProbeAnswers(this.#keys);
  }

  /** The port of the second socket. */
  get secondPort(): number | undefined {
    return this.#second?.port;
  }

  /** Answers at the socket that WireGuard uses. */
  serve(socket: ProbeSocket): void {
    socket.onProbe = (bytes, from) => this.#answer(socket, bytes, from);
  }

  /** Answers at a socket for probes alone, which belongs to this object from here on. */
  serveSecond(udp: DatagramSocket): void {
    const socket = new ProbeSocket(udp);
    const batch = new PacketBatch(BATCH_ROWS, BATCH_BYTES);
    this.serve(socket);
    socket.onReadable = () => {
      while (socket.receive(batch) > 0); // messages of WireGuard are not for this port
    };
    this.#second = udp;
  }

  /** The key of enrolments and probes with a host. */
  keyFor(publicKey: Uint8Array): Uint8Array | undefined {
    return this.#keys.keyFor(publicKey);
  }

  close(): void {
    this.#second?.close();
    this.#keys.clear();
  }

  #answer(socket: ProbeSocket, bytes: Uint8Array, from: Endpoint): void {
    const message = parseStun(bytes);
    if (message?.isRequest !== true) return;
    const { hostsAt, nowMs } = this.#options;
    const found = this.answers.answer(bytes, message, from, hostsAt(from), nowMs());
    if (found !== undefined) socket.sendProbe(found.response, from);
  }
}

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

import { formatConfigEndpoint } from '../../control/config/index.js';
import { CarrierLink, type CarrierLinkOptions } from './carrier-link.js';
import type { CarrierConnection } from './carrier-socket.js';

const MAX_SENDERS = 16;
/** A peer with a keepalive, which a peer behind a NAT has, is never silent for so long. */
const IDLE_MS = 5 * 60_000;
const MAX_CHECK_MS = 30_000;
/** The newest datagrams wait for the connection: one of them is a handshake, whose repetition would take seconds. */
const MAX_WAITING = 8;

export interface CarriedPortOptions extends Pick<CarrierLinkOptions, 'url' | 'environment' | 'onFailure'> {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** A sender has a connection now, or has lost it. */
  readonly onChange?: (sender: string, isOpen: boolean) => void;
  /** A sender without a connection of its own was turned away, since there are too many. */
  readonly onRefused?: (sender: string) => void;
  /** Default: five minutes. */
  readonly idleMs?: number;
}

interface Sender {
  readonly link: CarrierLink;
  connection: CarrierConnection | undefined;
  readonly waiting: Uint8Array[];
  heardMs: number;
}

/**
 * A UDP port of this host that leads to the hub through WebSockets, one for each address that sends to it. What the hub answers
 * goes to the sender whose connection it came by.
 */
export class CarriedPort {
  readonly #options: CarriedPortOptions;
  readonly #udp: Socket;
  readonly #senders = new Map<string, Sender>();
  readonly #check: NodeJS.Timeout;

  /** @throws {Error} Of the system: the port is in use, and the like. */
  static async open(options: CarriedPortOptions): Promise<CarriedPort> {
    const udp = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind(options.port, options.host, () => {
        udp.removeListener('error', reject);
        resolve();
      });
    }).catch((error) => {
      udp.close();
      throw error;
    });
    return new CarriedPort(options, udp);
  }

  private constructor(options: CarriedPortOptions, udp: Socket) {
    this.#options = options;
    this.#udp = udp;
    udp.on('error', () => {}); // one datagram could not be sent, as if it were lost
    udp.on('message', (datagram, from) => this.#take(datagram, from));
    const { idleMs = IDLE_MS } = options;
    this.#check = setInterval(() => this.#closeIdle(idleMs), Math.min(MAX_CHECK_MS, idleMs)).unref();
  }

  get port(): number {
    return this.#udp.address().port;
  }

  /** Addresses that have a connection, or wait for one. */
  get senderCount(): number {
    return this.#senders.size;
  }

  close(): void {
    clearInterval(this.#check);
    for (const { link } of this.#senders.values()) link.close();
    this.#senders.clear();
    this.#udp.close();
  }

  #take(datagram: Buffer, from: RemoteInfo): void {
    const name = `${from.address} ${from.port}`;
    const sender = this.#senders.get(name) ?? this.#add(name, from);
    if (sender === undefined) return;
    sender.heardMs = performance.now();
    if (sender.connection !== undefined) sender.connection.send(datagram);
    else if (sender.waiting.push(datagram) > MAX_WAITING) sender.waiting.shift();
  }

  #add(name: string, { address, port }: RemoteInfo): Sender | undefined {
    const { url, environment, onFailure, onChange, onRefused } = this.#options;
    const shown = formatConfigEndpoint({ host: address, port });
    if (this.#senders.size >= MAX_SENDERS) {
      onRefused?.(shown);
      return undefined;
    }
    const link = new CarrierLink({
      url,
      ...(environment === undefined ? {} : { environment }),
      ...(onFailure === undefined ? {} : { onFailure }),
      onOpen: (connection) => {
        sender.connection = connection;
        for (const datagram of sender.waiting.splice(0)) connection.send(datagram);
        onChange?.(shown, true);
      },
      onDatagram: (datagram) => {
        if (this.#senders.get(name) === sender) this.#udp.send(datagram, port, address);
      },
      onClose: () => {
        sender.connection = undefined;
        onChange?.(shown, false);
      },
    });
    const sender: Sender = { link, connection: undefined, waiting: [], heardMs: performance.now() };
    this.#senders.set(name, sender);
    return sender;
  }

  #closeIdle(idleMs: number): void {
    const beforeMs = performance.now() - idleMs;
    for (const [name, { link, heardMs }] of this.#senders) {
      if (heardMs > beforeMs) continue;
      this.#senders.delete(name);
      link.close();
    }
  }
}

import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

import { type AgentMessage, type HubMessage, parseHubMessage } from '../map/messages.js';

const FIRST_RETRY_MS = 500;
/** After a restart of the hub all agents come at once, unless chance spreads them. */
const MAX_RETRY_MS = 30_000;
const HANDSHAKE_MS = 10_000;
const PONG_MS = 4_000;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export interface ControlClientOptions {
  /** `ws://ADDRESS/…` of the hub inside of the tunnel. */
  readonly url: string;
  /** Opens a connection inside of the tunnel. */
  readonly connect: (host: string, port: number) => Duplex;
  readonly onOpen: () => void;
  readonly onMessage: (message: HubMessage) => void;
  readonly onClose: () => void;
}

/** The control connection of an agent, which comes back by itself. */
export class ControlClient {
  readonly #options: ControlClientOptions;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isTesting = false;
  #isClosed = false;

  constructor(options: ControlClientOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects, or tests the connection that there is: a hub that was restarted knows nothing of it. */
  wake(): void {
    if (this.isOpen && !this.#isClosed) this.#test(this.#socket!);
    else this.connect();
  }

  /** Connects, unless there is a connection already. */
  connect(): void {
    if (!this.#isClosed && this.#socket === undefined) this.#open();
  }

  /** Ends a connection that other addresses have made useless, and connects again. */
  reconnect(): void {
    this.#socket?.terminate();
    this.#failures = 0;
  }

  send(message: AgentMessage): void {
    if (this.isOpen) this.#socket!.send(JSON.stringify(message));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  /** TCP would try for minutes what a hub that has begun anew never answers. */
  #test(socket: WebSocket): void {
    if (this.#isTesting) return;
    this.#isTesting = true;
    const timer = setTimeout(() => socket.terminate(), PONG_MS).unref();
    const done = (): void => {
      clearTimeout(timer);
      this.#isTesting = false;
    };
    socket.once('pong', done);
    socket.once('close', done);
    socket.ping();
  }

  #open(): void {
    clearTimeout(this.#timer);
    const { url, connect, onOpen, onMessage, onClose } = this.#options;
    const socket = new WebSocket(url, {
      agent: new TunnelAgentOf(connect),
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    this.#socket = socket;
    socket.on('error', () => {}); // `close` follows
    socket.once('open', () => {
      this.#failures = 0;
      onOpen();
    });
    socket.on('message', (data: Buffer) => {
      const message = parseHubMessage(data.toString('utf8'));
      if (message !== undefined) onMessage(message);
    });
    socket.once('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      onClose();
      this.#retry();
    });
  }

  #retry(): void {
    if (this.#isClosed) return;
    const limitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.wake(), limitMs * (0.5 + Math.random() / 2)).unref();
  }
}

/** An agent of HTTP whose connections are those of the tunnel. */
class TunnelAgentOf extends Agent {
  readonly #connect: ControlClientOptions['connect'];

  constructor(connect: ControlClientOptions['connect']) {
    super({ keepAlive: false });
    this.#connect = connect;
  }

  override createConnection(options: { host?: string; port?: number | string }): Duplex {
    return this.#connect((options.host ?? '').replace(/^\[|\]$/g, ''), Number(options.port ?? 80));
  }
}

import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ws';

import type { Endpoint } from '../../wire/endpoint.js';
import type { CarrierSocket } from './carrier-socket.js';
import { MAX_DATAGRAM_BYTES, WebSocketCarrier } from './web-socket-carrier.js';

const RETRY_MS = 2_000;
const MAX_RETRY_MS = 30_000;
const HANDSHAKE_MS = 10_000;

export interface CarrierClientOptions {
  /** `ws://` or `wss://` URL of the hub. */
  readonly url: string;
  readonly socket: CarrierSocket;
  /** The endpoint that stands for the hub, or `undefined` while there is no connection. */
  readonly onEndpoint: (endpoint: Endpoint | undefined) => void;
  /** `HTTPS_PROXY` and its like. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Carries the datagrams of an agent to the hub in a WebSocket, through an HTTP proxy where the environment names one. */
export class CarrierClient {
  readonly #options: CarrierClientOptions;
  #webSocket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(options: CarrierClientOptions) {
    this.#options = options;
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#webSocket?.terminate();
  }

  #connect(): void {
    const { url, socket, onEndpoint, environment = process.env } = this.#options;
    const proxy = proxyFor(url, environment);
    const webSocket = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_DATAGRAM_BYTES,
      ...(proxy === undefined ? {} : { agent: new HttpsProxyAgent(proxy) }),
    });
    this.#webSocket = webSocket;
    webSocket.on('error', () => {}); // `close` follows
    webSocket.once('close', () => this.#retry());
    webSocket.once('open', () => {
      this.#failures = 0;
      const carrier = new WebSocketCarrier(
        webSocket,
        (datagram) => socket.deliver(endpoint, datagram),
        () => {
          socket.removeConnection(endpoint);
          onEndpoint(undefined);
        },
      );
      const endpoint = socket.addConnection(carrier);
      onEndpoint(endpoint);
    });
  }

  #retry(): void {
    if (this.#isClosed) return;
    const afterMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.#connect(), afterMs * (0.5 + Math.random() / 2)).unref();
  }
}

/** @returns The URL of the proxy for a carrier: `HTTPS_PROXY` for `wss`, `HTTP_PROXY` for `ws`, unless `NO_PROXY` has its host. */
export function proxyFor(url: string, environment: Readonly<Record<string, string | undefined>>): URL | undefined {
  const { protocol, hostname } = new URL(url);
  const read = (name: string): string => environment[name] ?? environment[name.toLowerCase()] ?? '';
  const excluded = read('NO_PROXY')
    .split(',')
    .map((entry) => entry.trim().replace(/^\./, ''));
  if (
    excluded.some((entry) => entry === '*' || (entry !== '' && (hostname === entry || hostname.endsWith(`.${entry}`))))
  )
    return undefined;
  const text = read(protocol === 'wss:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || read('ALL_PROXY');
  if (!/^https?:\/\//.test(text)) return undefined;
  return new URL(text);
}

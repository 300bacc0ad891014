import type { ClientRequestArgs } from 'node:http';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ws';

import { type FindPlace, PlacedProxyAgent, placedConnection } from './placed-connection.js';
import { MAX_DATAGRAM_BYTES, WebSocketCarrier } from './web-socket-carrier.js';

const RETRY_MS = 2_000;
const MAX_RETRY_MS = 30_000;
const HANDSHAKE_MS = 10_000;

export interface CarrierLinkOptions {
  /** `ws://` or `wss://` URL of the hub. */
  readonly url: string;
  /** `HTTPS_PROXY` and its like. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Finds where to connect, in place of the system. */
  readonly findPlace?: FindPlace | undefined;
  readonly onOpen: (carrier: WebSocketCarrier) => void;
  readonly onDatagram: (datagram: Uint8Array) => void;
  /** A connection that was open is gone. The next one is on its way. */
  readonly onClose: () => void;
  /** A connection could not be made. The next attempt comes by itself. */
  readonly onFailure?: (error: Error) => void;
}

/** A WebSocket to the hub that comes back by itself, through an HTTP proxy where the environment names one. */
export class CarrierLink {
  readonly #options: CarrierLinkOptions;
  #webSocket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(options: CarrierLinkOptions) {
    this.#options = options;
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#webSocket?.terminate();
  }

  #connect(): void {
    const { url, environment, findPlace, onOpen, onDatagram, onClose, onFailure } = this.#options;
    const webSocket = openWebSocket(url, environment, findPlace);
    this.#webSocket = webSocket;
    let isOpen = false;
    webSocket.on('error', (error) => {
      if (!isOpen && !this.#isClosed) onFailure?.(error);
    });
    webSocket.once('close', () => this.#retry());
    webSocket.once('open', () => {
      isOpen = true;
      this.#failures = 0;
      onOpen(new WebSocketCarrier(webSocket, onDatagram, onClose));
    });
  }

  #retry(): void {
    if (this.#isClosed) return;
    const afterMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.#connect(), afterMs * (0.5 + Math.random() / 2)).unref();
  }
}

/** Opens a WebSocket for datagrams. */
export function openWebSocket(
  url: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  findPlace?: FindPlace,
): WebSocket {
  return new WebSocket(url, {
    ...wayOf(url, environment, findPlace),
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MAX_DATAGRAM_BYTES,
  });
}

function wayOf(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
  findPlace: FindPlace | undefined,
): ClientRequestArgs {
  const proxy = proxyFor(url, environment);
  if (findPlace === undefined) return proxy === undefined ? {} : { agent: new HttpsProxyAgent(proxy) };
  if (proxy !== undefined) return { agent: new PlacedProxyAgent(proxy, findPlace) };
  return { createConnection: placedConnection(findPlace, url.startsWith('wss:')) };
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

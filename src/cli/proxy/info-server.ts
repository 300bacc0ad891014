import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { WireGuardError } from '../../core/errors.js';
import type { Destination } from '../../proxy/exit.js';
import { formatListenAddress } from '../../proxy/server/listen-on.js';
import { EXPOSITION_TYPE } from '../device/exposition-text.js';

const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 10_000;
const PLAIN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** The state of the proxy when a request comes. */
export interface InfoSource {
  readiness(): { readonly ready: boolean };
  /** Returns the metrics in Prometheus' format. */
  metrics(): string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Serves `/readyz`, `/healthz` and `/metrics` over HTTP, without a password. */
export class InfoServer {
  /** Where it listens, as the beginning of an address for a browser. */
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @throws {WireGuardError} ERR_LISTEN */
  static async open(at: Destination, source: InfoSource): Promise<InfoServer> {
    const server = createServer((request, response) => respond(request, response, source));
    server.maxConnections = MAX_CONNECTIONS;
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.headersTimeout = REQUEST_TIMEOUT_MS;
    try {
      server.listen(at.port, at.host);
      await once(server, 'listening');
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      throw new WireGuardError('ERR_LISTEN', `--info ${formatListenAddress(at)}: ${error.message}`, { cause: error });
    }
    const { port } = server.address() as AddressInfo;
    return new InfoServer(server, `http://${formatListenAddress({ host: at.host, port })}`);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function respond({ method, url = '' }: IncomingMessage, response: ServerResponse, source: InfoSource): void {
  const isRead = method === 'GET' || method === 'HEAD';
  const { status, type, body } = isRead ? answerTo(url.replace(/\?.*$/s, ''), source) : plain(405, 'Use GET.');
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(isRead ? {} : { allow: 'GET, HEAD' }),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

function answerTo(path: string, source: InfoSource): Answer {
  switch (path) {
    case '/healthz':
      return plain(200, 'ok');
    case '/readyz': {
      const readiness = source.readiness();
      return { status: readiness.ready ? 200 : 503, type: JSON_TYPE, body: `${JSON.stringify(readiness)}\n` };
    }
    case '/metrics':
      return { status: 200, type: EXPOSITION_TYPE, body: source.metrics() };
    default:
      return plain(404, 'There are /readyz, /healthz and /metrics.');
  }
}

function plain(status: number, text: string): Answer {
  return { status, type: PLAIN, body: `${text}\n` };
}

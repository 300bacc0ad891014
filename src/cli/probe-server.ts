import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { WireGuardError } from '../core/errors.js';
import { formatListenAddress } from '../proxy/server/listen-on.js';
import { createQuietServer, type RequestLimits } from '../server/http/request-limits.js';

const MAX_CONNECTIONS = 64;
const LIMITS: RequestLimits = { headersMs: 10_000, bodyMs: 10_000 };

export interface ProbeAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Makes the answer of each path when it is asked for. */
export type ProbePaths = Readonly<Record<string, () => ProbeAnswer>>;

/** Answers the probes of supervisors, and Prometheus, over HTTP and without a password. */
export class ProbeServer {
  /** Where it listens, as the beginning of an address for a browser. */
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @param option The option that named the place, for messages. @throws {WireGuardError} ERR_LISTEN */
  static async open(
    option: string,
    at: { readonly host: string; readonly port: number },
    paths: ProbePaths,
  ): Promise<ProbeServer> {
    const server = createQuietServer((request, response) => respond(request, response, paths), LIMITS);
    server.maxConnections = MAX_CONNECTIONS;
    try {
      server.listen(at.port, at.host);
      await once(server, 'listening');
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      throw new WireGuardError('ERR_LISTEN', `${option} ${formatListenAddress(at)}: ${error.message}`, {
        cause: error,
      });
    }
    const { port } = server.address() as AddressInfo;
    return new ProbeServer(server, `http://${formatListenAddress({ host: at.host, port })}`);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Says that the process runs: whatever else is wrong, a restart would not mend it. */
export function alive(): ProbeAnswer {
  return plainAnswer(200, 'ok');
}

/** Answers 200 or 503 with JSON. */
export function healthAnswer(isWell: boolean, facts: object): ProbeAnswer {
  return {
    status: isWell ? 200 : 503,
    type: 'application/json; charset=utf-8',
    body: `${JSON.stringify(facts)}\n`,
  };
}

function plainAnswer(status: number, text: string): ProbeAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

function respond({ method, url = '' }: IncomingMessage, response: ServerResponse, paths: ProbePaths): void {
  const isRead = method === 'GET' || method === 'HEAD';
  const { status, type, body } = isRead ? answerTo(url.replace(/\?.*$/s, ''), paths) : plainAnswer(405, 'Use GET.');
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(isRead ? {} : { allow: 'GET, HEAD' }),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

function answerTo(path: string, paths: ProbePaths): ProbeAnswer {
  if (Object.hasOwn(paths, path)) return paths[path]!();
  return plainAnswer(404, `There are ${Object.keys(paths).join(', ')}.`);
}

import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { WireGuardError } from '../../core/errors.js';
import type { MeshAgent } from '../../mesh/agent/mesh-agent.js';
import { readStatus } from '../../mesh/agent/read-status.js';

const SOCKET_MODE = 0o600;

/** Answers questions about a running agent: on a UNIX socket for its owner, and `/healthz` on TCP for probes. */
export class AgentServer {
  readonly #agent: MeshAgent;
  readonly #servers: Server[] = [];
  readonly #onLeave: () => void;
  #path: string | undefined;

  constructor(agent: MeshAgent, onLeave: () => void) {
    this.#agent = agent;
    this.#onLeave = onLeave;
  }

  async listenLocal(path: string): Promise<void> {
    rmSync(path, { force: true });
    const server = createServer((request, response) => this.#answer(request, response));
    server.listen(path);
    await once(server, 'listening');
    chmodSync(path, SOCKET_MODE);
    this.#path = path;
    this.#servers.push(server);
  }

  /** Serves `/healthz` alone. @throws {WireGuardError} ERR_LISTEN */
  async listenHealth({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    const server = createServer((request, response) => {
      if (request.url === '/healthz') this.#health(response);
      else send(response, 404, { detail: 'there is /healthz' });
    });
    server.listen(port, host);
    await once(server, 'listening').catch((error: Error) => {
      throw new WireGuardError('ERR_LISTEN', `--health ${host}:${port}: ${error.message}`);
    });
    this.#servers.push(server);
  }

  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
  }

  #answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    switch (`${method} ${url}`) {
      case 'GET /api/v1/status':
        send(response, 200, readStatus(this.#agent));
        break;
      case 'GET /healthz':
        this.#health(response);
        break;
      case 'POST /api/v1/rotate':
        this.#agent.rotate();
        send(response, 200, {});
        break;
      case 'POST /api/v1/leave':
        void this.#agent.leave().then(() => {
          send(response, 200, {});
          this.#onLeave();
        });
        break;
      default:
        send(response, 404, { detail: 'there is nothing here' });
    }
  }

  /** An agent is well if it reaches the hub or anyone else: it does not need the hub to go on. */
  #health(response: ServerResponse): void {
    const { hub, peers } = readStatus(this.#agent);
    const isWell = hub.isConnected || peers.some(({ reasonCode }) => reasonCode === 'session');
    send(response, isWell ? 200 : 503, { hub: hub.isConnected, peers: peers.length });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

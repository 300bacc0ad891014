import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import type { MeshAgent } from '../../mesh/agent/mesh-agent.js';
import { readStatus } from '../../mesh/agent/read-status.js';
import { createQuietServer } from '../../server/http/request-limits.js';
import { alive, ProbeServer } from '../probe-server.js';
import { agentHealth } from './agent-health.js';

const SOCKET_MODE = 0o600;

/** Answers questions about a running agent: on a UNIX socket for its owner, and probes on TCP. */
export class AgentServer {
  readonly #agent: MeshAgent;
  #local: Server | undefined;
  #probes: ProbeServer | undefined;
  readonly #onLeave: () => void;
  #path: string | undefined;

  constructor(agent: MeshAgent, onLeave: () => void) {
    this.#agent = agent;
    this.#onLeave = onLeave;
  }

  async listenLocal(path: string): Promise<void> {
    rmSync(path, { force: true });
    const server = createQuietServer((request, response) => this.#answer(request, response));
    server.listen(path);
    await once(server, 'listening');
    chmodSync(path, SOCKET_MODE);
    this.#path = path;
    this.#local = server;
  }

  /** Serves `/healthz` and `/livez`. @throws {WireGuardError} ERR_LISTEN */
  async listenHealth(at: { readonly host: string; readonly port: number }): Promise<void> {
    const paths = { '/healthz': () => agentHealth(readStatus(this.#agent)), '/livez': alive };
    this.#probes = await ProbeServer.open('--health', at, paths);
  }

  close(): void {
    this.#local?.close();
    this.#local?.closeAllConnections();
    this.#probes?.close();
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
  }

  #answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    switch (`${method} ${url}`) {
      case 'GET /api/v1/status':
        send(response, 200, readStatus(this.#agent));
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
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

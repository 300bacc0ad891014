import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

import { type AgentMessage, type HubMessage, parseAgentMessage } from '../map/messages.js';
import type { MapSubscriber } from './map-publisher.js';
import type { KeptReport } from './path-summary.js';

export const CONTROL_PATH = '/mesh/control';
const MAX_MESSAGE_BYTES = 64 * 1024;
/** An agent that reads nothing while so much waits comes again later, and gets what it missed. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** WebSocket close codes (RFC 6455 §7.4.1). */
const POLICY_VIOLATION = 1_008;
const TRY_AGAIN_LATER = 1_013;

/** The control connection of one agent. */
export class AgentConnection implements MapSubscriber {
  readonly node: string;
  report: KeptReport | undefined;
  readonly #socket: WebSocket;

  constructor(node: string, socket: WebSocket) {
    this.node = node;
    this.#socket = socket;
  }

  send(text: string): boolean {
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#socket.close(TRY_AGAIN_LATER);
      return false;
    }
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text);
    return true;
  }

  tell(message: HubMessage): void {
    this.send(JSON.stringify(message));
  }

  /** Says why, and ends the connection. */
  end(reason: string): void {
    this.tell({ type: 'revoked', reason });
    this.#socket.close(POLICY_VIOLATION);
  }

  close(): void {
    this.#socket.terminate();
  }
}

export interface ControlEvents {
  onMessage(connection: AgentConnection, message: AgentMessage): void;
  onClose(connection: AgentConnection): void;
}

/** Takes the control connections of agents, from inside of the tunnel: the address of a connection says whose it is. */
export class ControlServer {
  readonly connections = new Map<string, AgentConnection>();
  readonly #events: ControlEvents;
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES });

  constructor(events: ControlEvents) {
    this.#events = events;
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, node: string): void {
    this.#server.handleUpgrade(request, stream, head, (socket) => this.#open(node, socket));
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
    this.#server.close();
  }

  /** A node has one connection: the newest, since an older one may have died unnoticed. */
  #open(node: string, socket: WebSocket): void {
    this.connections.get(node)?.close();
    const connection = new AgentConnection(node, socket);
    this.connections.set(node, connection);
    socket.on('error', () => {}); // `close` follows
    socket.on('message', (data: Buffer, isBinary) => {
      const message = isBinary ? undefined : parseAgentMessage(data.toString('utf8'));
      if (message === undefined) socket.close(POLICY_VIOLATION);
      else this.#events.onMessage(connection, message);
    });
    socket.once('close', () => {
      if (this.connections.get(node) === connection) this.connections.delete(node);
      this.#events.onClose(connection);
    });
  }
}

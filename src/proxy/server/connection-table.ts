import type { Socket } from 'node:net';

import { resetStream } from '../../rootless/join-streams.js';
import { ClientConnection } from './client-connection.js';
import type { ProxyCounters } from './proxy-counters.js';

/** A connection may be ended for a new one after this time without a byte. */
const IDLE_MS = 60_000;

/**
 * The open connections of clients, up to a limit.
 *
 * At the limit a new connection takes the place of the one that has been idle for longest, if that is a minute at least; if all
 * are busy, the new one is refused.
 */
export class ConnectionTable {
  readonly #counters: ProxyCounters;
  readonly #maxConnections: number;
  readonly #nowMs: () => number;
  readonly #connections = new Set<ClientConnection>();
  /** Before this time no connection can have become idle. */
  #nextSearchMs = 0;

  constructor(counters: ProxyCounters, maxConnections: number, nowMs: () => number = () => performance.now()) {
    this.#counters = counters;
    this.#maxConnections = maxConnections;
    this.#nowMs = nowMs;
  }

  /** @returns `undefined` if the connection was refused. */
  admit(socket: Socket): ClientConnection | undefined {
    socket.on('error', waitForClose);
    if (this.#connections.size >= this.#maxConnections && !this.#evict()) {
      this.#counters.refused.limit++;
      resetStream(socket);
      return undefined;
    }
    const connection = new ClientConnection(socket, this.#counters);
    this.#connections.add(connection);
    this.#counters.accepted++;
    this.#counters.active++;
    socket.on('close', () => {
      connection.requestArrived();
      if (this.#connections.delete(connection)) this.#counters.active--;
    });
    return connection;
  }

  closeAll(): void {
    for (const { socket } of this.#connections) resetStream(socket);
  }

  /** @returns Whether there is room for another connection. */
  #evict(): boolean {
    const nowMs = this.#nowMs();
    if (nowMs < this.#nextSearchMs) return false;
    let oldest: ClientConnection | undefined;
    for (const connection of this.#connections)
      if (oldest === undefined || connection.lastActiveMs < oldest.lastActiveMs) oldest = connection;
    if (oldest === undefined) return false;
    if (nowMs - oldest.lastActiveMs < IDLE_MS) {
      this.#nextSearchMs = oldest.lastActiveMs + IDLE_MS;
      return false;
    }
    this.#connections.delete(oldest);
    this.#counters.active--;
    oldest.drop('evicted');
    return true;
  }
}

/** Ignores an error of a client's socket: the event `close` follows. */
function waitForClose(): void {}

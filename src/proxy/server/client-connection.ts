import type { Socket } from 'node:net';

import { resetStream, type StreamTraffic } from '../../rootless/join-streams.js';
import type { ProxyCounters, Refusal } from './proxy-counters.js';

/** The time in which a client must send a whole request. */
const REQUEST_MS = 30_000;
/** A client that was refused gets this time to read the reason. */
const LINGER_MS = 5_000;

/** A connection of a client: the socket, when bytes last passed, and what is counted for it. */
export class ClientConnection implements StreamTraffic {
  /** The stream that the client's protocol is spoken on: with TLS, the one inside. */
  socket: Socket;
  readonly counters: ProxyCounters;
  lastActiveMs: number;
  /** HTTP requests whose responses are not complete. */
  exchanges = 0;
  #deadline: NodeJS.Timeout | undefined;

  constructor(socket: Socket, counters: ProxyCounters) {
    this.socket = socket.setMaxListeners(0); // each request that is under way adds some
    this.counters = counters;
    this.lastActiveMs = performance.now();
  }

  /** Gives the client a limited time for its request, however slowly its bytes come. */
  awaitRequest(): void {
    this.#deadline = setTimeout(() => this.drop('silent'), REQUEST_MS);
    this.#deadline.unref();
  }

  get isAwaited(): boolean {
    return this.#deadline !== undefined;
  }

  requestArrived(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  count(bytes: number, isFromClient: boolean): void {
    this.lastActiveMs = performance.now();
    if (isFromClient) this.counters.sentBytes += bytes;
    else this.counters.receivedBytes += bytes;
  }

  /** Counts a refusal, sends `answer`, and closes after the client has had time to read it. */
  refuse(refusal: Refusal, answer: string | Uint8Array): void {
    this.counters.refused[refusal]++;
    this.requestArrived();
    closeAfter(this.socket, answer);
  }

  /** Counts a refusal, and ends the connection at once. */
  drop(refusal: Refusal): void {
    this.counters.refused[refusal]++;
    this.requestArrived();
    resetStream(this.socket);
  }
}

/** Sends the last bytes to a client. Bytes that still arrive are discarded: unread ones would turn the end into a reset. */
export function closeAfter(socket: Socket, answer: string | Uint8Array): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.removeAllListeners('data');
  socket.resume();
  socket.end(answer);
}

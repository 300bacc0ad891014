import type { Datagram } from './datagram.js';

/** Datagrams that the system keeps for a busy program, as a buffer of a few megabytes does. */
const CAPACITY_DATAGRAMS = 4_096;

/** The receive buffer of a node's socket: the newest datagrams are lost when it is full. */
export class SocketBuffer {
  lostDatagrams = 0;
  #waiting: Datagram[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  push(datagram: Datagram): void {
    if (this.#waiting.length < CAPACITY_DATAGRAMS) this.#waiting.push(datagram);
    else this.lostDatagrams++;
  }

  /** Removes at most `count` datagrams, the oldest first. */
  take(count: number): Datagram[] {
    return this.#waiting.splice(0, count);
  }

  clear(): void {
    this.#waiting = [];
  }
}

import { addressEquals } from '../address.js';
import { TcpListener } from './listener.js';

/** The ports that take connections. A port on one address comes before the same port on every address. */
export class Listeners {
  readonly #listeners: TcpListener[] = [];

  /** @returns `undefined` if the port is taken. */
  add(address: Int32Array | undefined, port: number, backlog?: number): TcpListener | undefined {
    if (this.#listeners.some((other) => other.port === port && overlaps(other.address, address))) return undefined;
    const listener = new TcpListener(address, port, backlog);
    this.#listeners.push(listener);
    return listener;
  }

  remove(listener: TcpListener): void {
    listener.isClosed = true;
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  find(address: Int32Array, port: number): TcpListener | undefined {
    let general: TcpListener | undefined;
    for (const listener of this.#listeners) {
      if (listener.port !== port) continue;
      if (listener.address === undefined) general = listener;
      else if (addressEquals(listener.address, 0, address, 0)) return listener;
    }
    return general;
  }
}

function overlaps(a: Int32Array | undefined, b: Int32Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : addressEquals(a, 0, b, 0);
}

import type { SocketHost } from './socket-host.js';

/** One socket's or server's hold on the process: it counts while the socket is open and was not told to let go (`unref`). */
export class ProcessReference {
  readonly #host: SocketHost;
  #isOpen = false;
  #isWanted = true;
  #isHeld = false;

  constructor(host: SocketHost) {
    this.#host = host;
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    this.#settle();
  }

  set isWanted(isWanted: boolean) {
    this.#isWanted = isWanted;
    this.#settle();
  }

  #settle(): void {
    const isHeld = this.#isOpen && this.#isWanted;
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#host.ref();
    else this.#host.unref();
  }
}

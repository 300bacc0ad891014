import type { WebSocket } from 'ws';

import type { CarrierConnection } from './carrier-socket.js';

/** Beyond this, datagrams are dropped, as by a full link: TCP below must not queue what TCP above will send again. */
const MAX_BUFFERED_BYTES = 256 * 1024;
const PING_MS = 25_000;
/** The greatest UDP payload: nothing longer is a datagram. */
export const MAX_DATAGRAM_BYTES = 65_535;

/** One WebSocket as a carrier: a binary message is a datagram. */
export class WebSocketCarrier implements CarrierConnection {
  /** Datagrams that were dropped, since too much waited. */
  dropped = 0;
  readonly #socket: WebSocket;
  readonly #ping: NodeJS.Timeout;

  /** @param onDatagram Gets bytes of its own. */
  constructor(socket: WebSocket, onDatagram: (datagram: Uint8Array) => void, onClose: () => void) {
    this.#socket = socket;
    this.#ping = setInterval(() => socket.ping(), PING_MS).unref();
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) onDatagram(data);
    });
    socket.on('error', () => {}); // `close` follows
    socket.once('close', () => {
      clearInterval(this.#ping);
      onClose();
    });
  }

  send(datagram: Uint8Array): void {
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) this.dropped++;
    else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(datagram, { binary: true });
  }

  close(): void {
    this.#socket.terminate();
  }
}

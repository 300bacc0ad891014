import { readUint16 } from '../../wire/ip-header.js';

const LENGTH_BYTES = 2;

/** Cuts a TCP stream into DNS messages, each behind its length (RFC 1035 §4.2.2). */
export class MessageReader {
  readonly #onMessage: (message: Uint8Array) => void;
  #waiting: Uint8Array = new Uint8Array(0);

  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage;
  }

  take(bytes: Uint8Array): void {
    let rest: Uint8Array = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    while (rest.length >= LENGTH_BYTES && rest.length >= LENGTH_BYTES + readUint16(rest, 0)) {
      const end = LENGTH_BYTES + readUint16(rest, 0);
      this.#onMessage(rest.slice(LENGTH_BYTES, end));
      rest = rest.subarray(end);
    }
    this.#waiting = rest.slice();
  }
}

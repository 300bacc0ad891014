import {
  FLAG_ACK,
  FLAG_DUMP_INTERRUPTED,
  formatMessage,
  MIN_PAYLOAD_TYPE,
  readMessages,
  readVerdict,
  type Verdict,
} from './messages.js';
import type { NetlinkSocket } from './netlink-socket.js';

/** The kernel fills at most 32 KiB of an answer at once. */
const RECEIVE_BYTES = 65_536;
const EPROTO = 71;

export interface NetlinkRequest {
  readonly type: number;
  /** Flags beside FLAG_REQUEST and FLAG_ACK, which every request has. */
  readonly flags: number;
  /** Stays the caller's. */
  readonly payload: Uint8Array;
}

export interface Outcome extends Verdict {
  /** The listed items changed meanwhile: the request must be repeated. */
  readonly isInterrupted: boolean;
}

/** Sequential requests on one socket. Copies of messages are cleared. */
export class NetlinkExchange {
  readonly #socket: NetlinkSocket;
  #sequence = 0;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /**
   * Sends a request and reads the answer to its end.
   *
   * @param onPayload Receives the type and the payload of each message, a view that is invalid afterwards. It returns
   *   `false` for a malformed message, which ends the exchange with EPROTO.
   */
  request({ type, flags, payload }: NetlinkRequest, onPayload: (payload: Uint8Array) => boolean): Outcome {
    this.#sequence += 1;
    const message = formatMessage(type, flags | FLAG_ACK, this.#sequence, payload);
    const sent = this.#socket.send(message);
    message.fill(0);
    return sent < 0 ? ended(-sent) : this.#receive(onPayload);
  }

  #receive(onPayload: (payload: Uint8Array) => boolean): Outcome {
    const buffer = new Uint8Array(RECEIVE_BYTES);
    let isInterrupted = false;
    try {
      for (;;) {
        const length = this.#socket.receive(buffer);
        if (length < 0) return ended(-length);
        const messages = readMessages(buffer.subarray(0, length));
        if (messages === undefined) return ended(EPROTO);
        for (const message of messages) {
          if (message.sequence !== this.#sequence) continue; // a stale answer to an abandoned request
          if ((message.flags & FLAG_DUMP_INTERRUPTED) !== 0) isInterrupted = true;
          const verdict = readVerdict(message);
          if (verdict !== undefined) return { ...verdict, isInterrupted };
          if (message.type >= MIN_PAYLOAD_TYPE && !onPayload(message.payload)) return ended(EPROTO);
        }
      }
    } finally {
      buffer.fill(0);
    }
  }
}

function ended(errno: number): Outcome {
  return { errno, reason: undefined, isInterrupted: false };
}

import { ACCEPT_QUEUE_LENGTH } from '../constants.js';
import type { TcpFlow } from './tcp-flow.js';

/** A port that takes connections. */
export class TcpListener {
  /** `undefined`: every address of the stack. */
  readonly address: Int32Array | undefined;
  readonly port: number;
  readonly backlog: number;
  /** Connections that are open and that nobody has taken. */
  readonly accepted: TcpFlow[] = [];
  halfOpenCount = 0;
  isInEventQueue = false;
  isClosed = false;

  constructor(address: Int32Array | undefined, port: number, backlog = ACCEPT_QUEUE_LENGTH) {
    this.address = address;
    this.port = port;
    this.backlog = backlog;
  }

  /** Takes the oldest connection that is open. */
  accept(): TcpFlow | undefined {
    return this.accepted.shift();
  }
}

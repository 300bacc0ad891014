import { HANDSHAKE_TRAFFIC_CLASS } from '../constants.js';
import type { Peer } from '../session/peer.js';
import type { Counters } from './counters.js';
import { PacketBatch } from './packet-batch.js';
import type { Verdict } from './verdict.js';

const MESSAGE_ROWS = 256;
const MESSAGE_BYTES = 512 * 1024;
const REPLY_ROWS = 64;
const REPLY_BYTES = 64 * 1024;
/** The most messages of one peer whose timers expire: an initiation and two keepalives. */
const ROWS_PER_PEER = 3;
const BYTES_PER_PEER = ROWS_PER_PEER * 256;

/** Holds the messages that a device sends by itself, and the peers with waiting packets or keepalives. */
export class Outbox {
  /** Messages for the socket. Rows with a key slot must be sealed first. */
  readonly messages = new PacketBatch(MESSAGE_ROWS, MESSAGE_BYTES);
  /** ICMP answers for the TUN. */
  readonly replies = new PacketBatch(REPLY_ROWS, REPLY_BYTES);
  /** Peers with packets staged, or a keepalive owed, and a session to send them. */
  readonly #flushQueue: Peer[] = [];
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Whether all messages that one peer may send fit. */
  hasRoom(): boolean {
    return this.messages.hasRoom(ROWS_PER_PEER, BYTES_PER_PEER);
  }

  /** The first peer for `Transmitter.flush`. */
  get firstToFlush(): Peer | undefined {
    return this.#flushQueue[0];
  }

  requestFlush(peer: Peer): void {
    if (peer.isInFlushQueue) return;
    peer.isInFlushQueue = true;
    this.#flushQueue.push(peer);
  }

  /** Removes the first peer, of which nothing waits any more. */
  firstIsFlushed(): void {
    const peer = this.#flushQueue.shift();
    if (peer !== undefined) peer.isInFlushQueue = false;
  }

  /**
   * Appends a complete handshake message or cookie reply. Callers must ensure that there is room; a message without
   * room is lost, as any datagram may be.
   */
  appendHandshakeMessage(message: Uint8Array, endpointWords: Int32Array, at: number): void {
    const { messages } = this;
    const row = messages.appendRow(message.length);
    if (row < 0) return;
    messages.bytes.set(message, messages.offset[row]);
    messages.trafficClass[row] = HANDSHAKE_TRAFFIC_CLASS;
    messages.setEndpoint(row, endpointWords, at);
  }

  /** Drops the packets that wait for a session with `peer`, and counts them. */
  dropStaged(peer: Peer, why: Verdict): void {
    const dropped = peer.staged.clear();
    if (dropped === 0) return;
    this.#counters.verdicts[why] += dropped;
    peer.counters.verdicts[why] += dropped;
  }
}

import type { PacketBatch } from '../../core/packets/packet-batch.js';
import type { IpView } from '../ip/ip-view.js';
import type { FlowAddress } from './tcp-flow.js';
import { ACK, RST, type TcpSegment } from './tcp-segment.js';
import { SegmentHeader, writeSegment } from './tcp-writer.js';

const MAX_WAITING = 64;

interface Reset {
  readonly source: Int32Array;
  readonly destination: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
}

/**
 * Resets for segments that belong to no connection. A bounded number of them waits for the next batch; more are dropped, as
 * the network may drop any of them.
 *
 * Source: RFC 9293 §3.10.7.1, §3.5.2.
 */
export class Resets {
  readonly #waiting: Reset[] = [];
  readonly #header = new SegmentHeader();
  dropped = 0;

  get count(): number {
    return this.#waiting.length;
  }

  /** Answers a segment from the segment alone. RST is never answered. */
  answer(view: IpView, segment: TcpSegment): void {
    if (segment.has(RST)) return;
    const hasAck = segment.has(ACK);
    this.#push({
      source: view.destination.slice(),
      destination: view.source.slice(),
      sourcePort: segment.destinationPort,
      destinationPort: segment.sourcePort,
      sequence: hasAck ? segment.acknowledgment : 0,
      acknowledgment: hasAck ? 0 : segment.end,
      flags: hasAck ? RST : RST | ACK,
    });
  }

  /** Tells a peer that a connection is over. */
  abort(flow: ResetSource): void {
    this.#push({
      source: flow.local,
      destination: flow.remote,
      sourcePort: flow.localPort,
      destinationPort: flow.remotePort,
      sequence: flow.sndNxt,
      acknowledgment: flow.rcvNxt,
      flags: RST | ACK,
    });
  }

  /** @returns `false` if the batch is full. */
  emit(batch: PacketBatch): boolean {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      Object.assign(this.#header, next);
      const { headerBytes } = this.#header;
      const row = batch.appendRow(headerBytes);
      if (row < 0) return false;
      writeSegment(batch.bytes, batch.offset[row], this.#header);
      this.#waiting.shift();
    }
    return true;
  }

  #push(reset: Reset): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(reset);
    else this.dropped++;
  }
}

/** The facts that a reset of our own is made from. */
export interface ResetSource extends FlowAddress {
  readonly sndNxt: number;
  readonly rcvNxt: number;
}

import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { BLOCK_BYTES } from '../block-pool.js';

/** The longest IP and TCP header: 40 bytes of IPv6, 60 of TCP. */
export const MAX_HEADER_BYTES = 100;

/**
 * Data of one connection that leaves at once: the headers of its segments, written once, and the place of its payload.
 *
 * ```text
 * header      | IP | TCP, options |           lengths and checksums are those of each row, not of the whole
 * blocks      ...|====block====|====block====|==...
 *                    ▲ at      (within blocks[first])        payloadBytes from there on
 * ```
 */
export class SuperSegment {
  readonly header = new Uint8Array(MAX_HEADER_BYTES);
  headerBytes = 0;
  /** Payload of each row but the last. */
  segmentBytes = 1;
  /** Each has `BLOCK_BYTES`. */
  blocks: readonly Uint8Array[] = [];
  first = 0;
  at = 0;
  payloadBytes = 0;

  /** Sets the place of the payload: `offset` counts from the start of `blocks[0]`. */
  locate(blocks: readonly Uint8Array[], offset: number, payloadBytes: number): void {
    this.blocks = blocks;
    this.first = Math.floor(offset / BLOCK_BYTES);
    this.at = offset % BLOCK_BYTES;
    this.payloadBytes = payloadBytes;
  }

  /** Copies `length` bytes of the payload from `offset` on. */
  copyPayload(offset: number, length: number, into: Uint8Array, at: number): void {
    for (let done = 0; done < length; ) {
      const from = this.at + offset + done;
      const inBlock = from % BLOCK_BYTES;
      const part = Math.min(length - done, BLOCK_BYTES - inBlock);
      const block = this.blocks[this.first + Math.floor(from / BLOCK_BYTES)];
      into.set(block.subarray(inBlock, inBlock + part), at + done);
      done += part;
    }
  }
}

/**
 * Cuts what a connection sends into packets, so that TCP handles one super segment in place of 46 segments.
 *
 * One implementation is TypeScript, another is the addon's; their results are the same, byte by byte. Nothing is kept between
 * two calls: the caller goes on behind what was taken, with the state of then.
 */
export interface Segmenter {
  /**
   * Appends the segments of `run` to the batch, until all have a row or the batch is full.
   *
   * Sequence numbers, and the identification of IPv4, count up from those of `run.header`. CWR is set in the first segment of the
   * run only, PSH and FIN in the last one.
   *
   * @returns Payload bytes that have a row.
   */
  split(run: SuperSegment, batch: PacketBatch): number;
}

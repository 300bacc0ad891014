import { copyEndpoint, ENDPOINT_BYTES, ENDPOINT_WORDS, endpointEquals } from '../../wire/endpoint.js';
import { Verdict } from './verdict.js';

/** Free bytes that a row of an outbound packet has in front, for the transport data header (§5.4.6). */
export const HEADROOM_BYTES = 16;
/** Free bytes behind a packet: padding to 16 (at most 15) and the tag (16), rounded up. */
export const TAILROOM_BYTES = 32;
/** The greatest IP packet, and the greatest UDP payload rounded up. */
export const MAX_PACKET_BYTES = 65_535;

/** `keySlot` of a row that must not be sealed, such as a finished handshake message. */
export const NO_KEY = -1;

/** Columns of 32-bit words: offset, length, keySlot, endpoint. */
const WORD_COLUMNS = 4;

/**
 * Packets on their way through the device, one row each.
 *
 * The batch owns all bytes and all columns, which are typed arrays, and the stages read and write rows in place: no
 * packet ever costs an object. A row is valid until the batch is filled again.
 *
 * ```text
 * inbound    socket.receive → classify → aead.open → admit → tun.write
 * outbound   tun.read       → route    → aead.seal → socket.send
 * ```
 *
 * Which stage reads (R) and writes (W) which column; source and sink are socket and TUN:
 *
 * ```text
 *                source  classify  open  admit  route  seal  sink
 * count, offset    W        R       R     RW     RW     R     R
 * length           W        R       R     RW     RW     RW    RW†
 * bytes            W        R       RW    RW     RW     RW    RW†
 * verdict          W        RW      RW    RW     RW     R     R
 * keySlot          –        W       R     R      W      R     –
 * trafficClass     W*       –       –     R      W      –     R*
 * endpoint …       W*       R       –     R      W      –     R*
 *                                                     * the socket only, not the TUN
 *                                                     † a TUN that is a stack joins rows
 * ```
 *
 * A verdict belongs to the stage that set it first: every stage skips rows whose verdict is not `Pass`, so that a filter
 * between two stages decides finally. Only `admit` continues with rows that `classify` found to be handshake messages.
 */
export class PacketBatch {
  /** Rows in use. */
  count = 0;
  /** Endpoint records in use. */
  endpointCount = 0;
  /** The bytes of row i start at `offset[i]`; there are `length[i]` of them. */
  readonly bytes: Uint8Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly verdict: Uint8Array;
  /** The key for the AEAD stage, as a slot of its key table, or NO_KEY. */
  readonly keySlot: Int32Array;
  /** The outer TOS byte (IPv4) or traffic class (IPv6), as received or to be sent. */
  readonly trafficClass: Uint8Array;
  /** The remote address of row i is record `endpoint[i]` of `endpointWords`. Rows may share a record. */
  readonly endpoint: Int32Array;
  readonly endpointBytes: Uint8Array;
  readonly endpointWords: Int32Array;
  readonly capacity: number;

  /**
   * @param capacity Rows.
   * @param arenaBytes Bytes for all rows together. A source stops filling when the next packet might not fit.
   */
  constructor(capacity: number, arenaBytes: number) {
    this.capacity = capacity;
    // One buffer for all columns, so that native code needs one check for a detached buffer.
    const wordsAt = alignTo16(arenaBytes);
    const endpointsAt = wordsAt + 4 * WORD_COLUMNS * capacity;
    const bytesAt = endpointsAt + ENDPOINT_BYTES * capacity;
    const buffer = new ArrayBuffer(bytesAt + 2 * capacity);
    this.bytes = new Uint8Array(buffer, 0, arenaBytes);
    this.offset = new Uint32Array(buffer, wordsAt, capacity);
    this.length = new Uint32Array(buffer, wordsAt + 4 * capacity, capacity);
    this.keySlot = new Int32Array(buffer, wordsAt + 8 * capacity, capacity);
    this.endpoint = new Int32Array(buffer, wordsAt + 12 * capacity, capacity);
    this.endpointBytes = new Uint8Array(buffer, endpointsAt, ENDPOINT_BYTES * capacity);
    this.endpointWords = new Int32Array(buffer, endpointsAt, (ENDPOINT_BYTES / 4) * capacity);
    this.verdict = new Uint8Array(buffer, bytesAt, capacity);
    this.trafficClass = new Uint8Array(buffer, bytesAt + capacity, capacity);
  }

  clear(): void {
    this.count = 0;
    this.endpointCount = 0;
  }

  /** Sets the verdict of a row, unless an earlier stage has already ended the row. */
  drop(row: number, verdict: Verdict): void {
    if (this.verdict[row] === Verdict.Pass) this.verdict[row] = verdict;
  }

  /** Makes `row` refer to a copy of the record at `at` (in words) of `words`; repeats share one record. */
  setEndpoint(row: number, words: Int32Array, at: number): void {
    const last = this.endpointCount - 1;
    if (last < 0 || !endpointEquals(this.endpointWords, last * ENDPOINT_WORDS, words, at)) {
      copyEndpoint(words, at, this.endpointWords, this.endpointCount * ENDPOINT_WORDS);
      this.endpointCount++;
    }
    this.endpoint[row] = this.endpointCount - 1;
  }

  /** Whether `rows` more rows of `totalBytes` together, head-room and tail-room included, certainly fit. */
  hasRoom(rows: number, totalBytes: number): boolean {
    const last = this.count - 1;
    const end = last < 0 ? 0 : this.offset[last] + this.length[last] + TAILROOM_BYTES;
    return this.count + rows <= this.capacity && end + totalBytes + 16 * rows <= this.bytes.length;
  }

  /**
   * Starts a row behind the last one, with head-room and tail-room around `lengthBytes`.
   *
   * @returns The row, with verdict `Pass`, NO_KEY and traffic class 0, or −1 if the batch is full.
   */
  appendRow(lengthBytes: number): number {
    const row = this.count;
    const start = row === 0 ? 0 : alignTo16(this.offset[row - 1] + this.length[row - 1] + TAILROOM_BYTES);
    if (row === this.capacity || start + HEADROOM_BYTES + lengthBytes + TAILROOM_BYTES > this.bytes.length) return -1;

    this.offset[row] = start + HEADROOM_BYTES;
    this.length[row] = lengthBytes;
    this.verdict[row] = Verdict.Pass;
    this.keySlot[row] = NO_KEY;
    this.trafficClass[row] = 0;
    this.count++;
    return row;
  }
}

function alignTo16(at: number): number {
  return (at + 15) & ~15;
}

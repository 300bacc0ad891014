import { MAX_STAGED_PACKETS } from '../constants.js';

/** Copies of packets in one ring of bytes, oldest first. A packet may wrap round the end of the ring. */
export class PacketRing {
  #bytes: Uint8Array;
  readonly #lengths = new Uint16Array(MAX_STAGED_PACKETS);
  readonly #trafficClasses = new Uint8Array(MAX_STAGED_PACKETS);
  #first = 0;
  #count = 0;
  #startAt = 0;
  #usedBytes = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  get count(): number {
    return this.#count;
  }

  get capacityBytes(): number {
    return this.#bytes.length;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes of the oldest packet; 0 if there is none. */
  get headLength(): number {
    return this.#count === 0 ? 0 : this.#lengths[this.#first];
  }

  get headTrafficClass(): number {
    return this.#count === 0 ? 0 : this.#trafficClasses[this.#first];
  }

  /** Appends a packet. Callers must ensure room for the packet and its bytes. */
  push(bytes: Uint8Array, offset: number, length: number, trafficClass: number): void {
    const slot = (this.#first + this.#count) % MAX_STAGED_PACKETS;
    const at = (this.#startAt + this.#usedBytes) % this.#bytes.length;
    const toEnd = Math.min(length, this.#bytes.length - at);
    this.#bytes.set(bytes.subarray(offset, offset + toEnd), at);
    this.#bytes.set(bytes.subarray(offset + toEnd, offset + length), 0);
    this.#lengths[slot] = length;
    this.#trafficClasses[slot] = trafficClass;
    this.#usedBytes += length;
    this.#count++;
  }

  /** Copies the oldest packet to `at` of `bytes`. */
  copyHead(bytes: Uint8Array, at: number): void {
    const length = this.headLength;
    const toEnd = Math.min(length, this.#bytes.length - this.#startAt);
    bytes.set(this.#bytes.subarray(this.#startAt, this.#startAt + toEnd), at);
    bytes.set(this.#bytes.subarray(0, length - toEnd), at + toEnd);
  }

  dropHead(): void {
    const length = this.headLength;
    this.#startAt = (this.#startAt + length) % this.#bytes.length;
    this.#usedBytes -= length;
    this.#first = (this.#first + 1) % MAX_STAGED_PACKETS;
    this.#count--;
  }

  /** Makes the ring longer; the packets stay. */
  growTo(capacityBytes: number): void {
    const longer = new Uint8Array(capacityBytes);
    const toEnd = Math.min(this.#usedBytes, this.#bytes.length - this.#startAt);
    longer.set(this.#bytes.subarray(this.#startAt, this.#startAt + toEnd));
    longer.set(this.#bytes.subarray(0, this.#usedBytes - toEnd), toEnd);
    this.#bytes = longer;
    this.#startAt = 0;
  }
}

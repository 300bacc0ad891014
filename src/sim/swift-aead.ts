import { KEY_BYTES } from '../core/constants.js';
import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import type { AeadStage } from '../core/ports.js';
import { TAG_BYTES } from '../wire/transport-data.js';

const HEADER_BYTES = 16;
const COUNTER_AT = 8;

interface KeySlot {
  readonly send: Int32Array;
  readonly receive: Int32Array;
}

/**
 * A fast stand-in for an AEAD stage, without any secrecy, for long runs.
 *
 * Bytes change with key and counter, the length grows by a tag, and a message that was damaged, or sealed under
 * another key or counter, does not open. The stage offers no security.
 */
export class SwiftAead implements AeadStage {
  readonly #slots: (KeySlot | undefined)[] = [];
  readonly #freeSlots: number[] = [];

  installKeys(sendKey: Uint8Array, receiveKey: Uint8Array): number {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[slot] = { send: keyWords(sendKey), receive: keyWords(receiveKey) };
    return slot;
  }

  wipeKeys(slot: number): void {
    const keys = this.#slots[slot];
    if (keys === undefined) throw new RangeError(`slot ${slot} holds no keys`);
    keys.send.fill(0);
    keys.receive.fill(0);
    this.#slots[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  seal(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass || batch.keySlot[row]! < 0) continue;
      const at = batch.offset[row]!;
      const end = at + batch.length[row]!;
      const key = this.#keysOf(batch.keySlot[row]!).send;
      mask(batch.bytes, at, end, key);
      writeTag(batch.bytes, at, end, key, batch.bytes, end);
      batch.length[row]! += TAG_BYTES;
    }
  }

  open(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass || batch.keySlot[row]! < 0) continue;
      const at = batch.offset[row]!;
      const end = at + batch.length[row]! - TAG_BYTES;
      const key = this.#keysOf(batch.keySlot[row]!).receive;
      writeTag(batch.bytes, at, end, key, this.#expectedTag, 0);
      if (this.#expectedTag.every((byte, i) => byte === batch.bytes[end + i])) mask(batch.bytes, at, end, key);
      else batch.verdict[row] = Verdict.BadTag;
    }
  }

  readonly #expectedTag = new Uint8Array(TAG_BYTES);

  #keysOf(slot: number): KeySlot {
    const keys = this.#slots[slot];
    if (keys === undefined) throw new RangeError(`slot ${slot} holds no keys`);
    return keys;
  }
}

function keyWords(key: Uint8Array): Int32Array {
  return new Int32Array(key.slice(0, KEY_BYTES).buffer);
}

/** Adds a stream that depends on key and counter. Doing it twice takes it away. */
function mask(bytes: Uint8Array, at: number, end: number, key: Int32Array): void {
  let state = mix(key[0]! ^ counterHash(bytes, at), key[1]!);
  for (let i = at + HEADER_BYTES; i < end; i++) {
    state = (Math.imul(state, 0x0019_660d) + 0x3c6e_f35f) | 0;
    bytes[i]! ^= state >>> 24;
  }
}

function writeTag(bytes: Uint8Array, at: number, end: number, key: Int32Array, out: Uint8Array, outAt: number): void {
  let low = mix(key[2]! ^ counterHash(bytes, at), end - at);
  let high = mix(key[3]!, low);
  for (let i = at + HEADER_BYTES; i < end; i++) {
    low = Math.imul(low ^ bytes[i]!, 0x0100_0193);
    high = (Math.imul(high, 31) + bytes[i]! + 1) | 0;
  }
  for (let word = 0; word < 4; word++) {
    const value = mix(low ^ key[4 + word]!, high + word);
    for (let i = 0; i < 4; i++) out[outAt + 4 * word + i] = value >>> (8 * i);
  }
}

function counterHash(bytes: Uint8Array, at: number): number {
  let hash = 0x811c_9dc5 | 0;
  for (let i = 0; i < 8; i++) hash = Math.imul(hash ^ bytes[at + COUNTER_AT + i]!, 0x0100_0193);
  return hash;
}

function mix(a: number, b: number): number {
  let t = Math.imul(a ^ (a >>> 15), 1 | b);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return t ^ (t >>> 14);
}

import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import type { AeadStage } from '../core/ports.js';
import { openChaCha20Poly1305, sealChaCha20Poly1305 } from './chacha20-poly1305.js';
import { KeySlots } from './key-slots.js';

const HEADER_BYTES = 16;
const TAG_BYTES = 16;
const COUNTER_AT = 8;
const COUNTER_BYTES = 8;
const NONCE_BYTES = 12;
const NOTHING = new Uint8Array(0);

/**
 * The AEAD stage over `node:crypto`, one call per packet, for systems without the addon.
 *
 * Source: whitepaper §5.4.6; RFC 8439 §2.8.
 */
export class JsAead implements AeadStage {
  readonly #keys = new KeySlots();
  readonly #nonce = new Uint8Array(NONCE_BYTES);

  installKeys(sendKey: Uint8Array, receiveKey: Uint8Array): number {
    return this.#keys.install(sendKey, receiveKey);
  }

  wipeKeys(slot: number): void {
    this.#keys.wipe(slot);
  }

  seal(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++)
      if (batch.verdict[row] === Verdict.Pass && batch.keySlot[row]! >= 0) this.#sealRow(batch, row);
  }

  open(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++)
      if (batch.verdict[row] === Verdict.Pass && batch.keySlot[row]! >= 0)
        if (!this.#openRow(batch, row)) batch.verdict[row] = Verdict.BadTag;
  }

  #sealRow(batch: PacketBatch, row: number): void {
    const { bytes } = batch;
    const textAt = batch.offset[row]! + HEADER_BYTES;
    const end = batch.offset[row]! + batch.length[row]!;
    if (end < textAt || end + TAG_BYTES > bytes.length) throw new RangeError(`row ${row} lies outside`);

    const { sendKey: key } = this.#keys.keysOf(batch.keySlot[row]!);
    const sealing = { key, nonce: this.#nonceOf(batch, row), associatedData: NOTHING };
    sealChaCha20Poly1305(bytes.subarray(textAt, end + TAG_BYTES), sealing, bytes.subarray(textAt, end));
    batch.length[row] = batch.length[row]! + TAG_BYTES;
  }

  /** @returns `false` if the tag is wrong or the row too short for a tag. */
  #openRow(batch: PacketBatch, row: number): boolean {
    const { bytes } = batch;
    const textAt = batch.offset[row]! + HEADER_BYTES;
    const end = batch.offset[row]! + batch.length[row]!;
    if (end > bytes.length) throw new RangeError(`row ${row} lies outside`);

    const { receiveKey: key } = this.#keys.keysOf(batch.keySlot[row]!);
    if (end < textAt + TAG_BYTES) return false;
    const text = bytes.subarray(textAt, end);
    return openChaCha20Poly1305(text, { key, nonce: this.#nonceOf(batch, row), associatedData: NOTHING }, text);
  }

  #nonceOf(batch: PacketBatch, row: number): Uint8Array {
    const counterAt = batch.offset[row]! + COUNTER_AT;
    this.#nonce.set(batch.bytes.subarray(counterAt, counterAt + COUNTER_BYTES), NONCE_BYTES - COUNTER_BYTES);
    return this.#nonce;
  }
}

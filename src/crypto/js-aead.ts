import { createCipheriv, createDecipheriv } from 'node:crypto';

import type { PacketBatch } from '../core/packet-batch.js';
import type { AeadStage } from '../core/ports.js';
import { Verdict } from '../core/verdict.js';
import { KeySlots } from './key-slots.js';

const ALGORITHM = 'chacha20-poly1305';
const HEADER_BYTES = 16;
const TAG_BYTES = 16;
const COUNTER_AT = 8;
const NONCE_BYTES = 12;

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
    const start = batch.offset[row]!;
    const end = start + batch.length[row]!;
    if (end < start + HEADER_BYTES || end + TAG_BYTES > bytes.length) throw new RangeError(`row ${row} lies outside`);

    const { sendKey } = this.#keys.keysOf(batch.keySlot[row]!);
    const cipher = createCipheriv(ALGORITHM, sendKey, this.#nonceOf(batch, row), { authTagLength: TAG_BYTES });
    bytes.set(cipher.update(bytes.subarray(start + HEADER_BYTES, end)), start + HEADER_BYTES);
    cipher.final();
    bytes.set(cipher.getAuthTag(), end);
    batch.length[row] = batch.length[row]! + TAG_BYTES;
  }

  /** @returns `false` if the tag is wrong or the row too short to have one. */
  #openRow(batch: PacketBatch, row: number): boolean {
    const { bytes } = batch;
    const start = batch.offset[row]!;
    const end = start + batch.length[row]!;
    if (end > bytes.length) throw new RangeError(`row ${row} lies outside`);

    const { receiveKey } = this.#keys.keysOf(batch.keySlot[row]!);
    if (end - start < HEADER_BYTES + TAG_BYTES) return false;
    const tagAt = end - TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, receiveKey, this.#nonceOf(batch, row), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(tagAt, end));
    const plaintext = decipher.update(bytes.subarray(start + HEADER_BYTES, tagAt));
    if (!isAuthentic(decipher)) return false;
    bytes.set(plaintext, start + HEADER_BYTES);
    return true;
  }

  #nonceOf(batch: PacketBatch, row: number): Uint8Array {
    const counterAt = batch.offset[row]! + COUNTER_AT;
    this.#nonce.set(batch.bytes.subarray(counterAt, counterAt + 8), NONCE_BYTES - 8);
    return this.#nonce;
  }
}

/** A wrong tag is what `final` throws for, without a code to tell it by; nothing else can go wrong there. */
function isAuthentic(decipher: { final(): unknown }): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

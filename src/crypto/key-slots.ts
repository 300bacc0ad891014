import { secretBytes } from '../core/secret-bytes.js';

const KEY_BYTES = 32;
/** A handle has a slot number in the low bits, and above it the number of wipes of the slot. */
const SLOT_BITS = 20;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const GENERATION_MASK = 0x7ff;

/** Both keys of one slot of an AEAD stage. */
export interface SlotKeys {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
}

/** One place of the table. The memory of both keys is reused for the next session. */
class Slot implements SlotKeys {
  readonly #memory = secretBytes(2 * KEY_BYTES);
  readonly sendKey = this.#memory.subarray(0, KEY_BYTES);
  readonly receiveKey = this.#memory.subarray(KEY_BYTES);
  generation = 0;
  isUsed = false;

  fill(sendKey: Uint8Array, receiveKey: Uint8Array): void {
    this.sendKey.set(sendKey);
    this.receiveKey.set(receiveKey);
    this.isUsed = true;
  }

  wipe(): void {
    this.#memory.fill(0);
    this.isUsed = false;
    this.generation = (this.generation + 1) & GENERATION_MASK;
  }
}

/**
 * A table of keys. It owns copies and wipes them.
 *
 * Slots are reused, handles are not (until 2,048 sessions of one slot): a row that outlives its session is refused,
 * and never sealed under the keys of another session.
 */
export class KeySlots {
  readonly #slots: Slot[] = [];
  readonly #free: number[] = [];

  /** @returns The handle, an integer from 0 to 2^31 − 1. */
  install(sendKey: Uint8Array, receiveKey: Uint8Array): number {
    const index = this.#free.pop() ?? this.#slots.length;
    if (index > SLOT_MASK) throw new RangeError('too many sessions');
    const slot = this.#slots[index] ?? new Slot();
    this.#slots[index] = slot;
    slot.fill(sendKey, receiveKey);
    return index | (slot.generation << SLOT_BITS);
  }

  /** @throws {RangeError} if the handle is not in use. */
  wipe(handle: number): void {
    this.#slotOf(handle).wipe();
    this.#free.push(handle & SLOT_MASK);
  }

  /** @throws {RangeError} if the handle is not in use. */
  keysOf(handle: number): SlotKeys {
    return this.#slotOf(handle);
  }

  #slotOf(handle: number): Slot {
    const slot = this.#slots[handle & SLOT_MASK];
    if (slot === undefined || !slot.isUsed || slot.generation !== handle >>> SLOT_BITS)
      throw new RangeError(`no keys under handle ${handle}`);
    return slot;
  }
}

/** Both keys of one slot of an AEAD stage. */
export interface SlotKeys {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
}

/** A table of keys with reused slot numbers. It owns copies and wipes them. */
export class KeySlots {
  readonly #slots: (SlotKeys | undefined)[] = [];
  readonly #free: number[] = [];

  install(sendKey: Uint8Array, receiveKey: Uint8Array): number {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = { sendKey: Uint8Array.from(sendKey), receiveKey: Uint8Array.from(receiveKey) };
    return slot;
  }

  /** @throws {RangeError} if the slot is not in use. */
  wipe(slot: number): void {
    const keys = this.keysOf(slot);
    keys.sendKey.fill(0);
    keys.receiveKey.fill(0);
    this.#slots[slot] = undefined;
    this.#free.push(slot);
  }

  /** @throws {RangeError} if the slot is not in use. */
  keysOf(slot: number): SlotKeys {
    const keys = this.#slots[slot];
    if (keys === undefined) throw new RangeError(`no keys in slot ${slot}`);
    return keys;
  }
}

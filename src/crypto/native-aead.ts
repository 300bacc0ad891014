import type { Addon, NativeAeadTable } from '../addon/interface.js';
import { NativeBatches } from '../addon/native-batches.js';
import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { AeadStage } from '../core/ports.js';

/**
 * The AEAD stage over the addon: one call per batch. The keys are in the addon's memory only.
 *
 * Several threads share the rows of a large batch, and the call returns when all rows are done. The order of rows, on
 * which `admit` relies, does not change.
 */
export class NativeAead implements AeadStage {
  readonly #addon: Addon;
  readonly #table: NativeAeadTable;
  readonly #batches: NativeBatches;

  /** @param threads 1 to 65, the caller's own included. */
  constructor(addon: Addon, threads = 1) {
    this.#addon = addon;
    this.#table = addon.aeadCreate(threads - 1);
    this.#batches = new NativeBatches(addon);
  }

  installKeys(sendKey: Uint8Array, receiveKey: Uint8Array): number {
    return this.#addon.aeadInstall(this.#table, sendKey, receiveKey);
  }

  wipeKeys(slot: number): void {
    this.#addon.aeadWipe(this.#table, slot);
  }

  seal(batch: PacketBatch): void {
    this.#addon.aeadSeal(this.#table, this.#batches.of(batch), batch.count);
  }

  open(batch: PacketBatch): void {
    this.#addon.aeadOpen(this.#table, this.#batches.of(batch), batch.count);
  }
}

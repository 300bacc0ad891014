import type { Addon, BatchColumns, NativeBatch } from './interface.js';

/** Registers each batch with the addon once, when it is first used. */
export class NativeBatches {
  readonly #addon: Addon;
  readonly #batches = new WeakMap<BatchColumns, NativeBatch>();

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  of(columns: BatchColumns): NativeBatch {
    return this.#batches.get(columns) ?? this.#register(columns);
  }

  #register(columns: BatchColumns): NativeBatch {
    const batch = this.#addon.registerBatch(columns);
    this.#batches.set(columns, batch);
    return batch;
  }
}

import type { Addon } from '../addon/interface.js';
import { NativeBatches } from '../addon/native-batches.js';
import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { Segmenter, SuperSegment } from '../netstack/segments/segmenter.js';

/** The segmenter of the addon: one call for all segments of a run. */
export class NativeSegmenter implements Segmenter {
  readonly #addon: Addon;
  readonly #batches: NativeBatches;

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#batches = new NativeBatches(addon);
  }

  split(run: SuperSegment, batch: PacketBatch): number {
    const { header, headerBytes, segmentBytes, blocks, first, at, payloadBytes } = run;
    const handle = this.#batches.of(batch);
    const row = batch.count;
    batch.count = this.#addon.splitSegments(
      handle,
      row,
      header,
      headerBytes,
      segmentBytes,
      blocks,
      first,
      at,
      payloadBytes,
    );
    return Math.min((batch.count - row) * segmentBytes, payloadBytes);
  }
}

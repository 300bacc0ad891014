/**
 * What the C addon offers: only what Node lacks, in batches.
 *
 * The addon knows byte offsets, no protocol. Every offset and length is checked against the arena
 * that was registered; a row that lies outside is a `RangeError`. Numbers that come back negative
 * are −errno. The only file that loads it is `load.ts`.
 */

/** The columns of a batch (`core/packet-batch.ts`), by structure. */
export interface BatchColumns {
  readonly bytes: Uint8Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly verdict: Uint8Array;
  readonly keySlot: Int32Array;
  readonly trafficClass: Uint8Array;
  readonly endpoint: Int32Array;
  /** 44 bytes a record, as drawn in `wire/endpoint.ts`. */
  readonly endpointBytes: Uint8Array;
}

/** Opaque: the addon's own note of where the columns are. It keeps the arrays alive. */
export type NativeBatch = object & { readonly __nativeBatch: never };

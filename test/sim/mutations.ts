/** A message to be damaged. */
export interface Template {
  readonly bytes: Uint8Array;
  /** Bits of these bytes are flipped. */
  readonly from: number;
  readonly to: number;
}

/** Every copy of the templates that differs in one bit. */
export function flippedBits(all: readonly Template[]): Uint8Array[] {
  return all.flatMap(({ bytes, from, to }) =>
    Array.from({ length: 8 * (to - from) }, (_, bit) => {
      const at = from + (bit >> 3);
      return withByte(bytes, at, bytes[at]! ^ (1 << (bit & 7)));
    }),
  );
}

export function withByte(message: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = message.slice();
  copy[at] = byte;
  return copy;
}

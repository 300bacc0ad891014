/**
 * Writes fields in a fixed order as bytes that can be signed: no two lists of fields have the same bytes.
 *
 * ```text
 *  | length | bytes …   a field          | count | field | field …   a list
 *  | u16 BE |                            | u16 BE|
 * ```
 *
 * Numbers are fields of 8 bytes, big-endian.
 */
export class FieldWriter {
  readonly #parts: Uint8Array[] = [];

  bytes(value: Uint8Array): this {
    this.#count(value.length);
    this.#parts.push(value);
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }

  /** @param value 0 to 2^53 − 1. */
  number(value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return this.bytes(bytes);
  }

  list<T>(values: readonly T[], write: (writer: FieldWriter, value: T) => void): this {
    this.#count(values.length);
    for (const value of values) write(this, value);
    return this;
  }

  toBytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #count(value: number): void {
    if (value > 0xffff) throw new RangeError(`a field of ${value} does not fit`);
    this.#parts.push(Uint8Array.of(value >> 8, value & 0xff));
  }
}

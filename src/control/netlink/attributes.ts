/**
 * Attributes, the nested parts of netlink messages.
 *
 * ```text
 *  0        2      4
 *  | length | type | value … | 0–3 bytes of padding |
 * ```
 *
 * The length includes its own four bytes and excludes the padding. Source: netlink(7), linux/netlink.h.
 */
import { IS_LITTLE_ENDIAN, viewOf } from './byte-order.js';

export const ATTRIBUTE_HEADER_BYTES = 4;
const ALIGNMENT = 4;
/** The upper bits of a type give the form of the value; NLA_F_NESTED: the value is attributes. */
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

export interface Attribute {
  readonly type: number;
  /** A view, not a copy. */
  readonly value: Uint8Array;
}

/** Reads consecutive attributes. @returns `undefined` if a length is wrong. */
export function readAttributes(bytes: Uint8Array): Attribute[] | undefined {
  const view = viewOf(bytes);
  const attributes: Attribute[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < ATTRIBUTE_HEADER_BYTES) return undefined;
    const length = view.getUint16(at, IS_LITTLE_ENDIAN);
    if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - at) return undefined;
    const type = view.getUint16(at + 2, IS_LITTLE_ENDIAN) & TYPE_MASK;
    attributes.push({ type, value: bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length) });
    at += aligned(length);
  }
  return attributes;
}

/** @returns `undefined` if the value has another length. */
export function readU8({ value }: Attribute): number | undefined {
  return value.length === 1 ? value[0] : undefined;
}

/** @returns `undefined` if the value has another length. */
export function readU16({ value }: Attribute): number | undefined {
  return value.length === 2 ? viewOf(value).getUint16(0, IS_LITTLE_ENDIAN) : undefined;
}

/** @returns `undefined` if the value has another length. */
export function readU32({ value }: Attribute): number | undefined {
  return value.length === 4 ? viewOf(value).getUint32(0, IS_LITTLE_ENDIAN) : undefined;
}

/** @returns `undefined` if the value has another length. */
export function readU64({ value }: Attribute): bigint | undefined {
  return value.length === 8 ? viewOf(value).getBigUint64(0, IS_LITTLE_ENDIAN) : undefined;
}

/** Reads a text that ends with a zero byte, or at the end of the value. */
export function readText({ value }: Attribute): string {
  const end = value.indexOf(0);
  return Buffer.from(value.buffer, value.byteOffset, end < 0 ? value.length : end).toString('utf8');
}

/** Returns the bytes that an attribute takes in a message. */
export function attributeBytes(valueBytes: number): number {
  return aligned(ATTRIBUTE_HEADER_BYTES + valueBytes);
}

export function aligned(length: number): number {
  return (length + ALIGNMENT - 1) & -ALIGNMENT;
}

/** Writes attributes into memory of a fixed size, which the owner of the writer clears. */
export class AttributeWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #length = 0;

  /** @param capacity Bytes, which callers must not exceed. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = viewOf(this.#bytes);
  }

  get length(): number {
    return this.#length;
  }

  /** The attributes that were written: a view, not a copy. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  bytes(type: number, value: Uint8Array): void {
    const at = this.#begin(type, value.length);
    this.#bytes.set(value, at);
  }

  u8(type: number, value: number): void {
    this.#view.setUint8(this.#begin(type, 1), value);
  }

  u16(type: number, value: number): void {
    this.#view.setUint16(this.#begin(type, 2), value, IS_LITTLE_ENDIAN);
  }

  u32(type: number, value: number): void {
    this.#view.setUint32(this.#begin(type, 4), value, IS_LITTLE_ENDIAN);
  }

  /** Writes a text and the zero byte that ends it. */
  text(type: number, value: string): void {
    this.bytes(type, Buffer.from(`${value}\0`, 'utf8'));
  }

  /** Opens an attribute that holds the ones that follow. @returns The argument for `close`. */
  open(type: number): number {
    return this.#begin(type | NESTED, 0) - ATTRIBUTE_HEADER_BYTES;
  }

  close(opened: number): void {
    this.#view.setUint16(opened, this.#length - opened, IS_LITTLE_ENDIAN);
  }

  /** @returns The place of the value. */
  #begin(type: number, valueBytes: number): number {
    const at = this.#length;
    this.#view.setUint16(at, ATTRIBUTE_HEADER_BYTES + valueBytes, IS_LITTLE_ENDIAN);
    this.#view.setUint16(at + 2, type, IS_LITTLE_ENDIAN);
    this.#length = at + attributeBytes(valueBytes);
    return at + ATTRIBUTE_HEADER_BYTES;
  }
}

/** Netlink bytes by hand, so that the codec is not held against itself. Source: netlink(7), linux/netlink.h. */

/** An attribute as a test writes it: type and value, which may be attributes again. */
export type Raw = readonly [type: number, value: Uint8Array | readonly Raw[]];

export function attributes(...list: readonly Raw[]): Buffer {
  return Buffer.concat(
    list.map(([type, value]) => {
      const isNested = !(value instanceof Uint8Array);
      const bytes = isNested ? attributes(...value) : value;
      const head = Buffer.alloc(4);
      head.writeUInt16LE(4 + bytes.length, 0);
      head.writeUInt16LE(isNested ? type | 0x8000 : type, 2);
      return Buffer.concat([head, bytes, Buffer.alloc(-bytes.length & 3)]);
    }),
  );
}

export function message(type: number, flags: number, sequence: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + payload.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt32LE(sequence, 8);
  return Buffer.concat([head, payload, Buffer.alloc(-payload.length & 3)]);
}

/** @throws {RangeError} The bytes are no attributes. */
export function parse(bytes: Uint8Array): { type: number; isNested: boolean; value: Buffer }[] {
  const buffer = Buffer.from(bytes);
  const list = [];
  for (let at = 0; at < buffer.length; ) {
    const length = buffer.readUInt16LE(at);
    const type = buffer.readUInt16LE(at + 2);
    if (length < 4 || at + length > buffer.length) throw new RangeError(`length ${length} at ${at}`);
    list.push({ type: type & 0x3fff, isNested: (type & 0x8000) !== 0, value: buffer.subarray(at + 4, at + length) });
    at += (length + 3) & ~3;
  }
  return list;
}

export function u8(value: number): Buffer {
  return Buffer.from([value]);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

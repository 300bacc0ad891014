/**
 * Little-endian 32-bit integers, the only kind in WireGuard's messages (whitepaper §5.4).
 *
 * The integers are signed, because V8 keeps an int32 unboxed, while a number from 2^31 on may cost 16 bytes. `>>> 0`
 * makes one unsigned.
 */

export function readInt32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** Takes a signed or an unsigned number alike. */
export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/**
 * TAI64N, the time stamp of a handshake initiation: 12 bytes, which sort as the times do.
 *
 * ```text
 *  0                              8             12
 *  | 2^62 + 10 + seconds of 1970  | nanoseconds |
 *  | u64, big-endian              | u32, BE     |
 * ```
 *
 * No leap seconds but the ten of 1970 are counted, as in every implementation of WireGuard: a stamp has only
 * to be greater than the one before.
 *
 * Source: whitepaper §5.1 and §5.4.2; https://cr.yp.to/libtai/tai64.html.
 */
export const TAI64N_BYTES = 12;

/** The label of 1970-01-01: 0x400000000000000a, in halves. */
const LABEL_HIGH = 0x4000_0000;
const LABEL_LOW = 10;

/**
 * @param unixSeconds Whole seconds since 1970. A clock that stands before 1970 counts as 1970.
 * @param nanoseconds 0 to 999,999,999.
 */
export function writeTai64n(bytes: Uint8Array, at: number, unixSeconds: number, nanoseconds: number): void {
  const seconds = Math.max(0, unixSeconds) + LABEL_LOW;
  writeUint32(bytes, at, LABEL_HIGH + Math.floor(seconds / 2 ** 32));
  writeUint32(bytes, at + 4, seconds);
  writeUint32(bytes, at + 8, nanoseconds);
}

/** @returns A negative number, 0 or a positive one, as the stamp in `a` is before, equal to or after that in `b`. */
export function compareTai64n(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < TAI64N_BYTES; i++) if (a[aAt + i] !== b[bAt + i]) return a[aAt + i] - b[bAt + i];
  return 0;
}

/** Writes the low 32 bits of `value`, big-endian. */
function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

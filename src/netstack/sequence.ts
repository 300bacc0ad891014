/**
 * Arithmetic on TCP sequence numbers: 32 bits that wrap, kept as int32 so that V8 never boxes them.
 *
 * Two numbers are compared by the sign of their difference. The result is right while they lie less than
 * 2^31 apart, which the window of at most 2^30 bytes ensures.
 *
 * Source: RFC 9293 §3.4.
 */

/** Returns `sequence` moved by `bytes`, which may be negative. */
export function addSequence(sequence: number, bytes: number): number {
  return (sequence + bytes) | 0;
}

/** Returns how far `to` lies behind `from`; negative if it lies in front. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) | 0;
}

export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function isAtOrBefore(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

export function laterSequence(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}

export function earlierSequence(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? a : b;
}

const MAX_U64 = 2n ** 64n - 1n;

/**
 * Reads decimal digits behind white space and a sign. Numbers beyond the range become the largest number; a negative
 * number wraps around.
 *
 * @returns `undefined` where there are no digits, or anything behind them.
 *
 * Source: strtoul(3).
 */
export function parseUnsignedLong(text: string): bigint | undefined {
  const [, sign, digits] = /^[ \t-\r]*([+-]?)([0-9]+)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const magnitude = BigInt(digits);
  if (magnitude > MAX_U64) return MAX_U64;
  return sign === '-' ? BigInt.asUintN(64, -magnitude) : magnitude;
}

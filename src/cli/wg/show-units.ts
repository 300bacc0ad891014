import type { Palette } from './palette.js';

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;
const SECONDS_PER = [
  ['year', 31_536_000n],
  ['day', 86_400n],
  ['hour', 3_600n],
  ['minute', 60n],
  ['second', 1n],
] as const;

/** Writes a number of bytes: whole below 1 KiB, else with two decimals, in TiB at most. */
export function formatBytes(bytes: bigint, { cyan }: Palette): string {
  if (bytes < 1024n) return `${bytes} ${cyan('B')}`;
  let unit = 0;
  while (unit < UNITS.length - 1 && bytes >= 1024n ** BigInt(unit + 2)) unit++;
  return `${twoDecimals(Number(bytes), unit + 1)} ${cyan(UNITS[unit]!)}`;
}

/** Writes a time span in years of 365 days, days, hours, minutes and seconds; parts that are 0 are left out. */
export function formatSpan(seconds: bigint, { cyan }: Palette): string {
  const parts: string[] = [];
  let left = seconds;
  for (const [unit, length] of SECONDS_PER) {
    const count = left / length;
    left %= length;
    if (count !== 0n) parts.push(`${count} ${cyan(count === 1n ? unit : `${unit}s`)}`);
  }
  return parts.join(', ');
}

/** Writes how long ago something was, in whole seconds since 1970. */
export function formatAgo(thenSeconds: bigint, nowSeconds: bigint, palette: Palette): string {
  if (thenSeconds === nowSeconds) return 'Now';
  if (thenSeconds < nowSeconds) return `${formatSpan(nowSeconds - thenSeconds, palette)} ago`;
  return `(${palette.red('System clock wound backward; connection problems may ensue.')})`;
}

/**
 * Divides by a power of 1024 and rounds to two decimals, a tie to the even one, as the C library does
 * (`toFixed` takes the larger). The bytes are a `number` on purpose: a `double` is what C divides.
 */
function twoDecimals(bytes: number, power: number): string {
  const divisor = 1024n ** BigInt(power);
  const scaled = BigInt(bytes) * 100n;
  const floor = scaled / divisor;
  const twice = (scaled % divisor) * 2n;
  const isUp = twice > divisor || (twice === divisor && floor % 2n === 1n);
  const digits = String(isUp ? floor + 1n : floor).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Medians and spreads of a handful of readings. */

/** @returns `NaN` for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value that a share of `fraction` does not exceed. @returns `NaN` for no values. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * fraction) - 1, 0)] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), least: Math.min(...values), greatest: Math.max(...values) };
}

/** One reading per round; `null` where there is none. */
export type Round = (number | null)[];

/** The median of the ratios of readings that were taken in the same round; rounds that lack one are left out. */
export function medianRatio(ours: Readonly<Round>, theirs: Readonly<Round>): number {
  return median(pairs(ours, theirs).flatMap(([own, other]) => (other === 0 ? [] : [own / other])));
}

/** The same of their differences. */
export function medianDifference(ours: Readonly<Round>, theirs: Readonly<Round>): number {
  return median(pairs(ours, theirs).map(([own, other]) => own - other));
}

export function present(readings: Readonly<Round>): number[] {
  return readings.filter((value) => value !== null);
}

function pairs(ours: Readonly<Round>, theirs: Readonly<Round>): [number, number][] {
  return ours.flatMap((own, round): [number, number][] => {
    const other = theirs[round];
    return own === null || other === null || other === undefined ? [] : [[own, other]];
  });
}

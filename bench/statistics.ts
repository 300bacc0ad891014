/** Medians and spreads of a handful of readings. */

/** @returns `NaN` for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), least: Math.min(...values), greatest: Math.max(...values) };
}

/** The median of the ratios of readings that were taken in the same round; rounds that lack one are left out. */
export function medianRatio(ours: Readonly<Round>, theirs: Readonly<Round>): number {
  const ratios: number[] = [];
  for (const [index, value] of ours.entries()) {
    const other = theirs[index];
    if (value !== null && other !== null && other !== undefined && other !== 0) ratios.push(value / other);
  }
  return median(ratios);
}

/** One reading per round; `null` where there is none. */
export type Round = (number | null)[];

export function present(readings: Readonly<Round>): number[] {
  return readings.filter((value) => value !== null);
}

/** Whether figures reach their goals. */
import { type FigureRow, ownReadings } from './figures.js';
import { formatNumber } from './format.js';
import type { Goal } from './measure.js';
import { medianDifference, medianRatio, present, type Round, summarize } from './statistics.js';

export function describeGoal({ goal, unit }: FigureRow, titles: ReadonlyMap<string, string>): string {
  if (goal === undefined) return '';
  const sign = goal.atLeast === undefined ? '≤' : '≥';
  const amount = goal.atLeast ?? goal.atMost ?? 0;
  const other = goal.than ?? titles.get(goal.thanOwn ?? '') ?? goal.thanOwn;
  if (other === undefined) return `${sign} ${formatNumber(amount, Number.isInteger(amount) ? 0 : 1)} ${unit}`.trimEnd();
  return goal.by === 'difference' ? `${sign} ${other} + ${amount}` : `${sign} ${amount} × ${other}`;
}

/** @returns `undefined` if there is no goal, or if there are no figures to judge. */
export function isReached(row: FigureRow, rows: readonly FigureRow[]): boolean | undefined {
  const { goal } = row;
  if (goal === undefined) return undefined;
  const value = amountOf(goal, row, rows);
  if (Number.isNaN(value)) return undefined;
  return value >= (goal.atLeast ?? -Infinity) && value <= (goal.atMost ?? Infinity);
}

function amountOf(goal: Goal, row: FigureRow, rows: readonly FigureRow[]): number {
  const ours = ownReadings(row);
  const theirs = compared(goal, row, rows);
  if (theirs === undefined) return summarize(present(ours)).median;
  return goal.by === 'difference' ? medianDifference(ours, theirs) : medianRatio(ours, theirs);
}

/** Tests for the same run, since readings of different runs cannot be compared. */
function compared({ than, thanOwn }: Goal, row: FigureRow, rows: readonly FigureRow[]): Round | undefined {
  if (than !== undefined) return row.readings[than] ?? [];
  if (thanOwn === undefined) return undefined;
  const other = rows.find(({ id, run }) => id === thanOwn && run === row.run);
  return other === undefined ? [] : ownReadings(other);
}

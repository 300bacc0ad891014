/** Figures as text: for the terminal, and as Markdown. */
import { LIMIT, SUBJECT, WIREGUARD_GO } from './contender.js';
import type { FigureRow, Figures } from './figures.js';
import type { Goal } from './measure.js';
import { medianRatio, present, type Round, summarize } from './statistics.js';

/** Of whom ratios are given. */
const YARDSTICKS = [LIMIT, WIREGUARD_GO];
const NOTHING = '–';

/** One line per quantity: median and spread of each contender, ratios, and whether the goal is reached. */
export function tabulate(figures: Figures): string[][] {
  const contenders = Object.keys(figures.contenders);
  const yardsticks = YARDSTICKS.filter((name) => contenders.includes(name));
  const head = ['', ...contenders, ...yardsticks.map((name) => `÷ ${name}`), 'goal'];
  const lines = figures.rows.map((row) => [
    row.unit === '' ? row.title : `${row.title}, ${row.unit}`,
    ...contenders.map((name) => spread(row, row.readings[name])),
    ...yardsticks.map((name) => ratio(row, name)),
    verdict(row),
  ]);
  return [head, ...lines];
}

export function formatText(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

export function formatMarkdown(table: readonly (readonly string[])[]): string {
  const [head = [], ...lines] = table;
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [head, head.map((_, column) => (column === 0 ? '---' : '--:')), ...lines].map(row).join('');
}

function spread(row: FigureRow, readings: Round | undefined): string {
  const values = present(readings ?? []);
  if (values.length === 0) return NOTHING;
  const { median, least, greatest } = summarize(values);
  const text = (value: number): string => formatNumber(value, row.digits);
  return values.length === 1 ? text(median) : `${text(median)} (${text(least)}–${text(greatest)})`;
}

function ratio(row: FigureRow, yardstick: string): string {
  const value = medianRatio(row.readings[SUBJECT] ?? [], row.readings[yardstick] ?? []);
  return Number.isNaN(value) ? NOTHING : value.toFixed(2);
}

function verdict(row: FigureRow): string {
  const { goal } = row;
  if (goal === undefined) return '';
  const reached = isReached(goal, row);
  return `${reached === undefined ? '' : reached ? '✓ ' : '✗ '}${describeGoal(goal, row)}`;
}

function describeGoal({ atLeast, atMost, than, by }: Goal, row: FigureRow): string {
  const sign = atLeast === undefined ? '≤' : '≥';
  const amount = atLeast ?? atMost ?? 0;
  if (than === undefined) return `${sign} ${formatNumber(amount, 0)} ${row.unit}`.trimEnd();
  return by === 'difference' ? `${sign} ${than} + ${amount}` : `${sign} ${amount} × ${than}`;
}

/** @returns `undefined` if there are no figures to tell by. */
function isReached({ atLeast, atMost, than, by }: Goal, row: FigureRow): boolean | undefined {
  const ours = row.readings[SUBJECT] ?? [];
  const theirs = than === undefined ? undefined : (row.readings[than] ?? []);
  let value = summarize(present(ours)).median;
  if (theirs !== undefined)
    value = by === 'difference' ? value - summarize(present(theirs)).median : medianRatio(ours, theirs);
  if (Number.isNaN(value)) return undefined;
  return value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
}

function formatNumber(value: number, digits = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

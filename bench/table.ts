/** Figures as a table. */
import { CABLE, GVISOR, KERNEL_TUN, LIMIT, SUBJECTS, WIREGUARD_GO } from './contender.js';
import { type FigureRow, type Figures, ownReadings } from './figures.js';
import { formatNumber } from './format.js';
import { medianRatio, present, type Round, summarize } from './statistics.js';
import { describeGoal, isReached } from './verdict.js';

/** The implementations that ratios are given for. */
const YARDSTICKS = [LIMIT, WIREGUARD_GO, KERNEL_TUN, GVISOR];
const NOTHING = '–';

/** One line per quantity: median and spread of each contender, ratios, and whether the goal is reached. */
export function tabulate(figures: Figures): string[][] {
  const contenders = contendersOf(figures);
  const yardsticks = YARDSTICKS.filter((name) => contenders.includes(name));
  const titles = new Map(figures.rows.map(({ id, title }) => [id, title]));
  const head = ['', ...contenders, ...yardsticks.map((name) => `÷ ${name}`), 'goal', 'met?'];
  const lines = figures.rows.map((row) => [
    row.unit === '' ? row.title : `${row.title}, ${row.unit}`,
    ...contenders.map((name) => spread(row, row.readings[name])),
    ...yardsticks.map((name) => ratio(row, name)),
    describeGoal(row, titles),
    verdict(row, figures.rows),
  ]);
  return [head, ...lines];
}

/** Returns all contenders of any of the runs: first ours, last the bare cable. */
export function contendersOf({ runs }: Figures): string[] {
  const names = new Set(runs.flatMap(({ contenders }) => Object.keys(contenders)));
  const rank = (name: string): number => (SUBJECTS.includes(name) ? 0 : name === CABLE ? 2 : 1);
  return [...names].sort((a, b) => rank(a) - rank(b));
}

function spread(row: FigureRow, readings: Round | undefined): string {
  const values = present(readings ?? []);
  if (values.length === 0) return NOTHING;
  const { median, least, greatest } = summarize(values);
  const text = (value: number): string => formatNumber(value, row.digits);
  return values.length === 1 ? text(median) : `${text(median)} (${text(least)}–${text(greatest)})`;
}

function ratio(row: FigureRow, yardstick: string): string {
  const value = medianRatio(ownReadings(row), row.readings[yardstick] ?? []);
  return Number.isFinite(value) ? value.toFixed(2) : NOTHING;
}

function verdict(row: FigureRow, rows: readonly FigureRow[]): string {
  const reached = isReached(row, rows);
  return reached === undefined ? '' : reached ? 'met' : 'NOT MET';
}

/** The figures of one or several runs, as they are kept in a file. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { CHECKOUT } from '../test/lab/implementation.js';
import { SUBJECTS } from './contender.js';
import type { Quantity, Readings } from './measure.js';
import type { Run } from './run.js';
import type { Round } from './statistics.js';

/** One row of the table: a quantity, and its readings by contender. */
export interface FigureRow extends Quantity {
  /** The run that took it, in `Figures.runs`. */
  readonly run: number;
  readonly readings: Record<string, Round>;
}

/** Costs of each stage of the data path, in nanoseconds per packet, for several sizes of packet. */
export interface StageFigures {
  readonly run: number;
  readonly packetBytes: readonly number[];
  /** One value per size. */
  readonly costs: Readonly<Record<string, readonly number[]>>;
}

export interface Figures {
  readonly runs: readonly Run[];
  readonly rows: readonly FigureRow[];
  readonly stages?: StageFigures;
}

/** Figures of a run that has not measured anything yet. */
export function beginFigures(run: Run, quantities: readonly Quantity[]): Figures {
  return { runs: [run], rows: quantities.map((quantity) => ({ ...quantity, run: 0, readings: {} })) };
}

/** Adds what was read in one round. */
export function addReadings(figures: Figures, contender: string, round: number, readings: Readings): void {
  for (const row of figures.rows) {
    const value = readings[row.id];
    if (value === undefined) continue;
    const list = row.readings[contender] ?? [];
    row.readings[contender] = list;
    while (list.length < round) list.push(null);
    list[round] = Number(value.toPrecision(6));
  }
}

/**
 * The figures of both: a row of `newer` takes the place of the same row of `older`, and keeps its own run.
 *
 * Runs that no figure refers to are left out.
 */
export function mergeFigures(older: Figures, newer: Figures): Figures {
  const newIds = new Set(newer.rows.map(({ id }) => id));
  const shift = older.runs.length;
  const shifted = newer.rows.map((row) => ({ ...row, run: row.run + shift }));
  const stages = newer.stages ? { ...newer.stages, run: newer.stages.run + shift } : older.stages;
  return withoutIdleRuns({
    runs: [...older.runs, ...newer.runs],
    rows: [...older.rows.filter(({ id }) => !newIds.has(id)), ...shifted],
    ...(stages && { stages }),
  });
}

function withoutIdleRuns({ runs, rows, stages }: Figures): Figures {
  const used = runs.map((_, run) => rows.some((row) => row.run === run) || stages?.run === run);
  const place = (run: number): number => used.slice(0, run).filter(Boolean).length;
  return {
    runs: runs.filter((_, run) => used[run]),
    rows: rows.map((row) => ({ ...row, run: place(row.run) })),
    ...(stages && { stages: { ...stages, run: place(stages.run) } }),
  };
}

/** Only the figures of some quantities, the stages if there are any, and the runs that took them. */
export function figuresOf({ rows, ...rest }: Figures, quantities: readonly Quantity[]): Figures {
  const ids = new Set(quantities.map(({ id }) => id));
  return withoutIdleRuns({ ...rest, rows: rows.filter(({ id }) => ids.has(id)) });
}

/** The readings of the contender that a figure is about. */
export function ownReadings({ readings }: FigureRow): Round {
  const subject = SUBJECTS.find((title) => readings[title] !== undefined);
  return subject === undefined ? [] : readings[subject]!;
}

/** Names and goals of the quantities are taken from the program, in its order; of the file only what was read. */
export function describeAnew(figures: Figures, quantities: readonly Quantity[]): Figures {
  const rows = quantities.flatMap((quantity) => {
    const row = figures.rows.find(({ id }) => id === quantity.id);
    return row === undefined ? [] : [{ ...quantity, run: row.run, readings: row.readings }];
  });
  return { ...figures, rows };
}

/** Rows without a reading are left out. */
export function writeFigures(path: string, figures: Figures): void {
  mkdirSync(dirname(path), { recursive: true });
  const rows = figures.rows.filter(({ readings }) => Object.keys(readings).length > 0);
  writeFileSync(path, `${JSON.stringify({ ...figures, rows }, null, 1)}\n`);
}

/** @throws {TypeError} If the file holds something else. */
export function readFigures(path: string): Figures {
  const figures = JSON.parse(readFileSync(path, 'utf8')) as Partial<Figures>;
  if (!Array.isArray(figures.runs) || !Array.isArray(figures.rows)) throw new TypeError(`${path} holds no figures`);
  return figures as Figures;
}

export function defaultPath(): string {
  return join(CHECKOUT, 'bench/results', `${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}.json`);
}

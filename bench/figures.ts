/** The figures of one run, as they are kept in a file. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

import { CHECKOUT } from '../test/lab/implementation.js';
import { attempt } from '../test/lab/program.js';
import type { Contender } from './contender.js';
import type { Quantity, Readings } from './measure.js';
import type { Round } from './statistics.js';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly kernel: string;
  readonly node: string;
}

/** One row of the table: a quantity, and its readings by contender. */
export interface FigureRow extends Quantity {
  readonly readings: Record<string, Round>;
}

export interface Figures {
  readonly date: string;
  /** With a plus where files were changed. */
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  readonly seconds: number;
  rounds: number;
  /** Name and version. */
  readonly contenders: Readonly<Record<string, string>>;
  readonly rows: FigureRow[];
}

export async function beginFigures(
  command: string,
  seconds: number,
  contenders: readonly Contender[],
  quantities: readonly Quantity[],
): Promise<Figures> {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await currentCommit(),
    command,
    machine: describeMachine(),
    seconds,
    rounds: 0,
    contenders: Object.fromEntries(contenders.map(({ title, version }) => [title, version])),
    rows: quantities.map((quantity) => ({ ...quantity, readings: {} })),
  };
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

export function writeFigures(path: string, figures: Figures): void {
  mkdirSync(dirname(path), { recursive: true });
  const rows = figures.rows.filter(({ readings }) => Object.keys(readings).length > 0);
  writeFileSync(path, `${JSON.stringify({ ...figures, rows }, null, 1)}\n`);
}

export function readFigures(path: string): Figures {
  return JSON.parse(readFileSync(path, 'utf8'));
}

export function defaultPath(): string {
  return join(CHECKOUT, 'bench/results', `${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}.json`);
}

function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
  };
}

async function currentCommit(): Promise<string> {
  const git = async (...words: string[]): Promise<string> =>
    (await attempt('git', ['-C', CHECKOUT, ...words])).stdout.trim();
  const commit = await git('rev-parse', '--short', 'HEAD');
  if (commit === '') return 'unknown';
  return (await git('status', '--porcelain', '--untracked-files=no')) === '' ? commit : `${commit}+`;
}

/** Puts figures into the documents: the table, the stages, the model, the chart. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CHECKOUT } from '../test/lab/implementation.js';
import { drawChart } from './chart.js';
import { describeAnew, type Figures, figuresOf, mergeFigures, readFigures, writeFigures } from './figures.js';
import { formatMarkdown } from './format.js';
import { tabulateModel } from './model.js';
import type { Run } from './run.js';
import { tabulateStages } from './stages.js';
import { present } from './statistics.js';
import { allMeasures, type Suite, suites } from './suites.js';
import { tabulate } from './table.js';

const DOCUMENTS = join(CHECKOUT, 'docs');

/**
 * Takes the figures of `files` into `performance.json`, in turn, and draws and tabulates what is in it then.
 *
 * @param folder Default: `docs/` of the checkout.
 */
export function renderDocuments(files: readonly string[], folder = DOCUMENTS): void {
  const kept = join(folder, 'performance.json');
  const known = existsSync(kept) ? [kept] : [];
  const merged = [...known, ...files].map(readFigures).reduce(mergeFigures, { runs: [], rows: [] });
  const figures = describeAnew(
    merged,
    allMeasures.flatMap(({ quantities }) => quantities),
  );
  writeFigures(kept, figures);

  const chart = drawChart(tableOf(figures, suites.tunnel));
  if (chart !== undefined) writeFileSync(join(folder, 'performance.svg'), chart);
  const page = join(folder, 'performance.md');
  writeFileSync(page, fillPage(readFileSync(page, 'utf8'), figures));
}

/** Fills what is between the marks `<!-- NAME -->` and `<!-- end of NAME -->`; the rest is written by people. */
export function fillPage(page: string, figures: Figures): string {
  const { stages } = figures;
  const { tunnel, ...others } = suites;
  let filled = fill(page, tunnel.mark, describeFigures(tableOf(figures, tunnel)));
  for (const suite of Object.values(others)) {
    const own = tableOf({ runs: figures.runs, rows: figures.rows }, suite);
    if (own.rows.length > 0) filled = fill(filled, suite.mark, describeFigures(own));
  }
  if (stages === undefined) return filled;
  const origin = describeRun(figures.runs[stages.run]!);
  filled = fill(filled, 'stages', `${formatMarkdown(tabulateStages(stages))}\n* ${origin}\n`);
  return fill(filled, 'model', formatMarkdown(tabulateModel(stages)));
}

/** The figures of a suite. */
function tableOf(figures: Figures, { measures }: Suite): Figures {
  return figuresOf(
    figures,
    measures.flatMap(({ quantities }) => quantities),
  );
}

function fill(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new TypeError(`the page lacks the marks ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n${page.slice(to)}`;
}

/** Every row says by which run it was taken, and of how many readings it is the median. */
function describeFigures(figures: Figures): string {
  const [head = [], ...lines] = tabulate(figures);
  const numbered = lines.map((line, index) => {
    const row = figures.rows[index]!;
    const counts = Object.values(row.readings).map((readings) => present(readings).length);
    return [...line, String(Math.max(...counts)), String(row.run + 1)];
  });
  const runs = figures.runs.map((run, index) => `${index + 1}. ${describeRun(run)}\n`);
  return `${formatMarkdown([[...head, 'rounds', 'run'], ...numbered])}\nRuns:\n\n${runs.join('')}`;
}

function describeRun({ command, date, commit, machine, seconds, contenders }: Run): string {
  const versions = Object.entries(contenders).map(([name, version]) => `${name} ${version}`);
  const { processor, cores, memoryGigabytes, kernel, node } = machine;
  return [
    `\`${command}\`, ${date}, commit ${commit}`,
    ...(seconds > 0 ? [`${seconds} s per transfer`] : []),
    `${processor}, ${cores} cores, ${memoryGigabytes} GB, Linux ${kernel}, Node ${node}`,
    ...(versions.length > 0 ? [versions.join(', ')] : []),
  ].join('; ');
}

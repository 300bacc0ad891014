import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CHECKOUT } from '../test/lab/implementation.js';
import { drawChart } from './chart.js';
import type { Figures } from './figures.js';
import { formatMarkdown, tabulate } from './table.js';

const BEGIN = '<!-- figures -->';
const END = '<!-- end of figures -->';

/** Draws `docs/performance.svg` and puts the table between its marks in `docs/performance.md`. */
export function renderDocuments(figures: Figures): void {
  writeFileSync(join(CHECKOUT, 'docs/performance.svg'), drawChart(figures));
  const path = join(CHECKOUT, 'docs/performance.md');
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${path} lacks the marks ${BEGIN} and ${END}`);
  writeFileSync(path, `${text.slice(0, from + BEGIN.length)}\n\n${describe(figures)}\n${text.slice(to)}`);
}

function describe(figures: Figures): string {
  const { machine, date, commit, command, rounds, seconds, contenders } = figures;
  const versions = Object.entries(contenders).map(([name, version]) => `${name} (${version})`);
  return `* Command: \`${command}\`, ${rounds} rounds, ${seconds} s per transfer
* Date: ${date}; commit: ${commit}
* Machine: ${machine.processor}, ${machine.cores} cores, ${machine.memoryGigabytes} GB, Linux ${machine.kernel}, Node ${machine.node}
* Contenders: ${versions.join(', ')}

${formatMarkdown(tabulate(figures))}`;
}

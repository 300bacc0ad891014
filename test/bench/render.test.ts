import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { describeAnew, mergeFigures, readFigures, writeFigures } from '../../bench/figures.js';
import { fillPage, renderDocuments } from '../../bench/render.js';
import { allMeasures } from '../../bench/suites.js';
import { CHECKOUT } from '../lab/implementation.js';
import { aQuantity, aRun, STAGES, someFigures } from './arbitrary-figures.js';

const PAGE = ['figures', 'rootless', 'stages', 'model']
  .map((name) => `<!-- ${name} -->\n<!-- end of ${name} -->\n`)
  .join('by hand\n');
const TCP = someFigures([aQuantity()], { 'tcp-1': { wiretype: [3, 4, 5], limit: [2, 4, 4] } });
const STAGED = { runs: [aRun({ commit: 'fed4321' })], rows: [], stages: { run: 0, ...STAGES } };

describe('The page of figures', () => {
  it('tells of each figure the median, spread, ratio, rounds and run, and leaves alone what people wrote', () => {
    const page = fillPage(PAGE, TCP);

    assert.match(
      page,
      /\| TCP, Gbit\/s \| 4\.00 \(3\.00–5\.00\) \| – \| 4\.00 \(2\.00–4\.00\) \| 1\.25 \|.*\| 3 \| 1 \|\n/,
    );
    assert.match(page, /^1\. `npm run bench`, 2026-01-02, commit abc1234; 3 s per transfer; Abacus, 2 cores/m);
    assert.equal(page.match(/^by hand$/gm)?.length, 3);
  });

  it('has a table of its own, with runs of its own, for what needs no root', () => {
    const run = aRun({ commit: 'abcdef0', contenders: { library: '1', gVisor: '2' } });
    const quantity = aQuantity({ id: 'rootless-from', title: 'From', goal: { atLeast: 1.5 } });
    const rootless = someFigures([quantity], { 'rootless-from': { library: [2, 3], gVisor: [1, 1] } }, run);

    const page = fillPage(PAGE, mergeFigures(TCP, rootless));

    assert.match(page, /\| From, Gbit\/s \| 2\.50 \(.*\) \| 1\.00 .*\| 2\.50 \| ≥ 1\.5 Gbit\/s \| met \| 2 \| 1 \|\n/);
    assert.equal(page.match(/^1\. `npm run bench`/gm)?.length, 2);
    assert.doesNotMatch(page.slice(0, page.indexOf('end of figures')), /library|abcdef0/);
  });

  it('is filled again without a trace of what was there', () => {
    assert.equal(fillPage(fillPage(PAGE, TCP), TCP), fillPage(PAGE, TCP));
  });

  it('has the stages and the model when stages were measured', () => {
    const page = fillPage(PAGE, STAGED);

    assert.match(page, /\| seal \| 1,000 \|/);
    assert.match(page, /\| 4 \| 1600 \| 5\.0 \| 1\.88 \|/);
    assert.match(page, /commit fed4321/);
  });

  it('is refused without its marks', () => {
    assert.throws(() => fillPage('nothing', TCP), /<!-- figures -->/);
  });

  it('and the file of figures say the same in this checkout', () => {
    const read = (name: string): string => readFileSync(join(CHECKOUT, 'docs', name), 'utf8');
    const quantities = allMeasures.flatMap((measure) => measure.quantities);
    const figures = describeAnew(readFigures(join(CHECKOUT, 'docs/performance.json')), quantities);

    assert.equal(fillPage(read('performance.md'), figures), read('performance.md'));
  });
});

describe('Rendering', () => {
  it('gathers files in one, later ones in place of earlier ones, and draws from it', () => {
    inFolder((folder) => {
      const [first, second, stages] = ['1.json', '2.json', '3.json'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      writeFigures(first, TCP);
      writeFigures(second, someFigures([aQuantity()], { 'tcp-1': { wiretype: [7] } }, aRun({ commit: 'def5678' })));
      writeFigures(stages, STAGED);

      renderDocuments([first, stages], folder);
      renderDocuments([second], folder);

      const page = readFileSync(join(folder, 'performance.md'), 'utf8');
      assert.match(page, /commit def5678/);
      assert.match(page, /commit fed4321/);
      assert.doesNotMatch(page, /commit abc1234/);
      assert.match(readFileSync(join(folder, 'performance.svg'), 'utf8'), />7\.00</);
    });
  });

  it('without figures makes a page without rows, and no chart', () => {
    inFolder((folder) => {
      renderDocuments([], folder);

      assert.equal(existsSync(join(folder, 'performance.svg')), false);
    });
  });
});

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-render-'));
  try {
    writeFileSync(join(folder, 'performance.md'), PAGE);
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import {
  addReadings,
  beginFigures,
  describeAnew,
  type Figures,
  mergeFigures,
  readFigures,
  writeFigures,
} from '../../bench/figures.js';
import { aQuantity, aRun, STAGES, someFigures } from './arbitrary-figures.js';

const TCP = aQuantity();
const PING = aQuantity({ id: 'ping', title: 'ping', unit: 'µs' });

describe('Figures', () => {
  it('keep a reading in the place of its round', () => {
    const figures = beginFigures(aRun(), [TCP]);

    addReadings(figures, 'wiretype', 2, { 'tcp-1': 1.23456789, other: 5 });

    assert.deepEqual(figures.rows[0]!.readings, { wiretype: [null, null, 1.23457] });
  });

  it('are written without the rows that nothing was read for', () => {
    const read = throughFile(someFigures([TCP, PING], { 'tcp-1': { wiretype: [1] } }));

    assert.deepEqual(
      read.rows.map(({ id }) => id),
      ['tcp-1'],
    );
  });

  it('are not read from a file of something else', () => {
    withFile((path) => {
      writeFileSync(path, '{"rows":[]}');
      assert.throws(() => readFigures(path), TypeError);
    });
  });

  it('take the names and goals of the program, not of the file', () => {
    const old = someFigures([aQuantity({ title: 'old name' }), aQuantity({ id: 'gone' })], {
      'tcp-1': { wiretype: [1] },
      gone: { wiretype: [2] },
    });

    const { rows } = describeAnew(old, [PING, TCP]);

    assert.deepEqual(
      rows.map(({ id, title, readings }) => [id, title, readings]),
      [['tcp-1', 'TCP', { wiretype: [1] }]],
    );
  });
});

describe('Figures of several runs', () => {
  const older = someFigures([TCP, PING], { 'tcp-1': { wiretype: [1] }, ping: { wiretype: [400] } });
  const newer = someFigures([TCP], { 'tcp-1': { wiretype: [2] } }, aRun({ date: '2026-02-03', commit: 'def5678' }));

  it('are merged row by row: the newer takes the place, and each keeps its own date and commit', () => {
    const { runs, rows } = mergeFigures(older, newer);

    assert.deepEqual(
      rows.map(({ id, run, readings }) => [id, runs[run]!.date, runs[run]!.commit, readings]),
      [
        ['ping', '2026-01-02', 'abc1234', { wiretype: [400] }],
        ['tcp-1', '2026-02-03', 'def5678', { wiretype: [2] }],
      ],
    );
  });

  it('forget a run of which nothing is left', () => {
    const { runs, rows } = mergeFigures(older, { ...newer, rows: [...newer.rows, { ...older.rows[1]!, run: 0 }] });

    assert.deepEqual(
      runs.map(({ commit }) => commit),
      ['def5678'],
    );
    assert.deepEqual(
      rows.map(({ run }) => run),
      [0, 0],
    );
  });

  it('keep the stages of the last run that had some', () => {
    const staged: Figures = { ...older, rows: [], stages: { run: 0, ...STAGES } };

    const merged = mergeFigures(staged, newer);

    assert.equal(merged.runs[merged.stages!.run]!.commit, 'abc1234');
    assert.equal(mergeFigures(newer, staged).stages!.run, 1);
  });
});

function throughFile(figures: Figures): Figures {
  return withFile((path) => {
    writeFigures(path, figures);
    return readFigures(path);
  });
}

function withFile<T>(work: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-figures-'));
  try {
    return work(join(folder, 'figures.json'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

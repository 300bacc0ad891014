import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { drawChart } from '../../bench/chart.js';
import { aQuantity, aRun, someFigures } from './arbitrary-figures.js';

describe('The chart', () => {
  const figures = someFigures([aQuantity({ title: 'TCP, <one> stream' })], {
    'tcp-1': { wiretype: [3, 4, 5], limit: [2] },
  });

  it('has a bar of the median for everyone who was measured, and a line for the spread', () => {
    const chart = drawChart(figures)!;

    assert.equal(chart.match(/height="14"/g)?.length, 2);
    assert.match(chart, />4\.00</);
    assert.match(chart, />2\.00</);
    assert.equal(chart.match(/class="spread"/g)?.length, 2);
  });

  it('follows the choice of light or dark, on no background of its own', () => {
    const chart = drawChart(figures)!;

    assert.match(chart, /@media\(prefers-color-scheme:dark\)/);
    assert.doesNotMatch(chart, /fill="#fff"/);
  });

  it('says on what and when it was measured', () => {
    assert.match(drawChart(figures)!, /Abacus, 2 cores; medians of 1 to 3, 2026-01-02/);
  });

  it('is well-formed whatever the titles are', () => {
    assert.match(drawChart(figures)!, /TCP, &lt;one> stream/);
  });

  it('leaves out the bare cable, beside which no bar could be seen', () => {
    const withCable = someFigures(
      [aQuantity()],
      { 'tcp-1': { none: [40], wiretype: [4] } },
      aRun({ contenders: { none: 'no tunnel', wiretype: '1' } }),
    );

    assert.doesNotMatch(drawChart(withCable)!, />40\.00<|>none</);
  });

  it('is none where there is nothing to draw', () => {
    assert.equal(drawChart(someFigures([aQuantity({ id: 'ping' })], { ping: { wiretype: [1] } })), undefined);
  });
});

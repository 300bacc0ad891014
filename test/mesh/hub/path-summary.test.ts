/** The paths of agents, kept small. */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { keepReport, pathsOf } from '../../../src/mesh/hub/path-summary.js';
import type { Report } from '../../../src/mesh/map/messages.js';

it('The hub keeps the nodes of a report by the kind of their path, and gives out what was reported', () => {
  for (const paths of [{}, { a: 'relay' }, { a: 'direct', b: 'carried', c: 'direct' }] as Report['paths'][]) {
    const report: Report = { type: 'report', candidates: [], mapping: 'easy', rttMs: 7, paths };
    const { paths: kept, ...rest } = keepReport(report);
    assert.deepEqual({ ...rest, paths: pathsOf(kept) }, report);
    assert.equal(kept.size, new Set(Object.values(paths)).size);
  }
});

/** The sets of measures, each with contenders and a table of its own. */
import { type Candidate, candidates } from './contender.js';
import { gatewayCandidates } from './gateway/candidates.js';
import { gatewayMeasures } from './gateway/index.js';
import type { Measure } from './measure.js';
import { measures } from './measures/index.js';
import { meshCandidates } from './mesh/candidates.js';
import { meshMeasures } from './mesh/index.js';
import type { Options, SuiteName } from './options.js';
import { rootlessCandidates } from './rootless/candidates.js';
import { rootlessMeasures } from './rootless/index.js';

export interface Suite {
  readonly measures: readonly Measure[];
  candidates(options: Options): readonly Candidate[];
  /** Marks of the table in `docs/performance.md`. */
  readonly mark: string;
}

export const suites: Readonly<Record<SuiteName, Suite>> = {
  tunnel: { measures, candidates, mark: 'figures' },
  rootless: { measures: rootlessMeasures, candidates: rootlessCandidates, mark: 'rootless' },
  mesh: { measures: meshMeasures, candidates: meshCandidates, mark: 'mesh' },
  gateway: { measures: gatewayMeasures, candidates: gatewayCandidates, mark: 'gateway' },
};

/** The measures of all suites. */
export const allMeasures: readonly Measure[] = Object.values(suites).flatMap((suite) => suite.measures);

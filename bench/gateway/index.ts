import type { Measure } from '../measure.js';
import { idleFlows } from './idle-flows.js';
import { newFlows } from './new-flows.js';
import { pageMeasures } from './page.js';
import { smallDatagrams } from './small-datagrams.js';
import { transfers } from './transfers.js';

/** All measures of gateways, in the order of the table. */
export const gatewayMeasures: readonly Measure[] = [
  ...transfers,
  newFlows,
  ...smallDatagrams,
  idleFlows,
  ...pageMeasures,
];

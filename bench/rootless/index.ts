import type { Measure } from '../measure.js';
import { idleConnections } from './idle-connections.js';
import { pathMeasures } from './path.js';
import { pingUnderLoad } from './ping-under-load.js';
import { requests } from './requests.js';
import { throughputMeasures } from './throughput.js';

/** All measures without root, in the order of the table. */
export const rootlessMeasures: readonly Measure[] = [
  ...throughputMeasures,
  ...pathMeasures,
  requests,
  ...idleConnections,
  pingUnderLoad,
];

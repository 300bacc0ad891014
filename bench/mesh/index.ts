import type { Measure } from '../measure.js';
import { crowd } from './crowd.js';
import { fanOut } from './fan-out.js';
import { firstDirect } from './first-direct.js';
import { idleAgent } from './idle-agent.js';
import { relay } from './relay.js';
import { relayedTcp } from './relayed-tcp.js';

/** All measures of the mesh, in the order of the table. */
export const meshMeasures: readonly Measure[] = [relay, relayedTcp, firstDirect, fanOut, crowd, idleAgent];

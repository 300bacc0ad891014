import { describe, it } from 'node:test';

import type { LinkConditions } from './stack-pair.js';
import { type Habits, type RunOptions, run } from './transfer-run.js';

const BYTES = 60_000;

const DELAYS = [0, 10, 100];
const LOSSES = [0, 0.02, 0.1];
const FAULTS: readonly (readonly [string, LinkConditions, RunOptions])[] = [
  ['nothing else', {}, {}],
  ['reordering', { jitterMs: 40 }, {}],
  ['duplicates', { duplicateRate: 0.2 }, {}],
  ['corruption', { corruptRate: 0.05 }, { verifies: true }],
  ['a short queue', { rateBits: 5e6, queueBytes: 9_000 }, {}],
  ['all of them', { jitterMs: 40, duplicateRate: 0.1, corruptRate: 0.02, rateBits: 20e6 }, { verifies: true }],
];
const PROGRAMS: readonly (readonly [string, Habits])[] = [
  ['large buffers', { bytes: BYTES }],
  ['small buffers', { bytes: BYTES, sendBuffer: 3_000, receiveBuffer: 4_000 }],
  ['a slow reader', { bytes: BYTES, readBytes: 5_000, readEveryMs: 150, receiveBuffer: 16_384 }],
  ['small writes', { bytes: BYTES / 4, writeBytes: 37, isNoDelay: true, sendBuffer: 2_000 }],
];

describe('both directions at once carry every byte', () => {
  let seed = 0;
  for (const delayMs of DELAYS)
    for (const lossRate of LOSSES)
      for (const [faults, conditions, options] of FAULTS)
        it(`over ${delayMs} ms, ${100 * lossRate} % loss and ${faults}`, () => {
          for (const [, client] of PROGRAMS)
            for (const [, server] of PROGRAMS) {
              const isIpv6 = ++seed % 2 === 0;
              run(seed, { delayMs, lossRate, ...conditions }, client, server, { ...options, isIpv6 });
            }
        });
});

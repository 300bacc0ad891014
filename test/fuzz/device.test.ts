import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { fuzzDevice } from './device.js';

/** `test/fuzz/corpus/device` of the sources: scripts that once found something, or reach far. */
const CORPUS = new URL('../../../test/fuzz/corpus/device/', import.meta.url);
const DEFAULT_RUNS = 150;
const SCRIPT_BYTES = 400;

describe('A device under any script of bytes, time and control', () => {
  for (const name of readdirSync(CORPUS))
    it(`keeps its rules and recovers: corpus ${name}`, () => {
      fuzzDevice(readFileSync(new URL(name, CORPUS)));
    });

  it('keeps its rules and recovers: random scripts', { timeout: 3_600_000 }, () => {
    const seed = Number(process.env['WIRETYPE_FUZZ_SEED'] ?? 1);
    const numRuns = Number(process.env['WIRETYPE_FUZZ_RUNS'] ?? DEFAULT_RUNS);
    const scripts = fc.uint8Array({ minLength: 40, maxLength: SCRIPT_BYTES, size: 'max' });
    fc.assert(
      fc.property(scripts, (script) => fuzzDevice(script)),
      { seed, numRuns },
    );
  });
});

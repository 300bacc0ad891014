import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { CHECKOUT } from '../lab/implementation.js';
import { attempt } from '../lab/program.js';

/** Many times what it takes on a machine that does nothing else. */
const TIMEOUT_MS = 900_000;

describe('The benchmarks', () => {
  it('bring up every contender and get a number from every measure, whatever the number', async () => {
    const { status, stdout, stderr } = await attempt(process.execPath, [join(CHECKOUT, 'bench/run.mjs'), '--smoke'], {
      timeoutMs: TIMEOUT_MS,
    });

    assert.equal(status, 0, `${stdout}${stderr}`);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { CLI_ERRORS } from '../../src/cli/cli-errors.js';
import { ADVICE } from '../../src/cli/error-text.js';
import { CONTROL_ERRORS } from '../../src/control/control-errors.js';
import { CORE_ERRORS } from '../../src/core/errors.js';
import { GATEWAY_ERRORS } from '../../src/gateway/gateway-errors.js';
import { HOST_ERRORS } from '../../src/host/host-errors.js';
import { ERROR_CODES } from '../../src/index.js';
import { PROXY_ERRORS } from '../../src/proxy/proxy-errors.js';
import { SERVER_ERRORS } from '../../src/server/server-errors.js';
import { STORE_ERRORS } from '../../src/store/store-errors.js';

describe('docs/errors.md', () => {
  const rows = readFileSync('docs/errors.md', 'utf8')
    .split('\n')
    .map((line) => /^\| `(ERR_\w+)` \| .+ \| (.+) \|$/.exec(line))
    .filter((row) => row !== null)
    .map(([, code, advice]) => [code, advice] as const);

  it('has a row for every code of every floor, and for nothing else', () => {
    assert.deepEqual(rows.map(([code]) => code).sort(), Object.keys(ADVICE).sort());
  });

  it('gives the advice that the programs give', () => {
    for (const [code, advice] of rows) assert.equal(advice, ADVICE[code as keyof typeof ADVICE], code);
  });
});

describe('the tables of error codes', () => {
  const tables = [
    CORE_ERRORS,
    HOST_ERRORS,
    CONTROL_ERRORS,
    PROXY_ERRORS,
    GATEWAY_ERRORS,
    STORE_ERRORS,
    SERVER_ERRORS,
    CLI_ERRORS,
  ];

  it('share no code: each belongs to one floor', () => {
    const codes = tables.flatMap((table) => Object.keys(table));
    assert.deepEqual([...new Set(codes)], codes);
  });

  it('are joined for programs without the codes of the commands', () => {
    assert.deepEqual(ERROR_CODES, { ...CORE_ERRORS, ...HOST_ERRORS, ...CONTROL_ERRORS });
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { exitStatusOf, formatError } from '../../src/cli/error-text.js';
import type {} from '../../src/control/control-errors.js';
import { type ErrorCode, WireGuardError } from '../../src/core/errors.js';
import type {} from '../../src/mesh/mesh-errors.js';
import type {} from '../../src/proxy/proxy-errors.js';

describe('the text of an error', () => {
  for (const [reason, advice] of [
    ['ENOENT', /wiretype init/],
    ['ENOSPC', /Free some space/],
    ['EROFS', /mount the file system writable/],
    ['EACCES', /its owner and its permissions/],
  ] as const) {
    it(`advises what fits ${reason} of a configuration file`, () => {
      assert.match(textOf('ERR_CONFIG_FILE', Object.assign(new Error(), { code: reason })), advice);
    });
  }

  it('keeps the advice of other errors, whatever the system said', () => {
    const full = Object.assign(new Error(), { code: 'ENOSPC' });
    assert.match(textOf('ERR_RECORD', full), /\/run must be writable and have free space/);
  });
});

it('The exit status of an error tells whether a second start may do better', () => {
  const statusOf = (code: ErrorCode): number => exitStatusOf(new WireGuardError(code, 'a reason'));

  assert.deepEqual((['ERR_HUB_UNREACHABLE', 'ERR_LISTEN', 'ERR_VALUE'] as const).map(statusOf), [1, 1, 1]);
  assert.deepEqual((['ERR_USAGE', 'ERR_VARIABLE'] as const).map(statusOf), [2, 2]);
  assert.equal(statusOf('ERR_INVITATION'), 3);
});

function textOf(code: ErrorCode, cause: Error): string {
  return formatError('wiretype', new WireGuardError(code, 'a file', { cause }));
}

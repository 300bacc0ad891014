import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatError } from '../../src/cli/error-text.js';
import { type ErrorCode, WireGuardError } from '../../src/core/errors.js';

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

function textOf(code: ErrorCode, cause: Error): string {
  return formatError('wiretype', new WireGuardError(code, 'a file', { cause }));
}

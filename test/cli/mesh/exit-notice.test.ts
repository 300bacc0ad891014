import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ExitNotice } from '../../../src/cli/mesh/exit-notice.js';

describe('ExitNotice', () => {
  it('says when the exit is used, and when it no longer is', () => {
    const said: string[] = [];
    const notice = new ExitNotice('server', (line) => said.push(line));

    for (const isUsed of [false, false, true, true, false]) notice.note(isUsed);

    assert.deepEqual(
      said.map((line) => /leaves by (this host|server)\.$/.exec(line)?.[1]),
      ['this host', 'server', 'this host'],
    );
  });

  it('says nothing where no exit was chosen', () => {
    const notice = new ExitNotice(undefined, assert.fail);

    notice.note(false);
  });
});

import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';

import { ReadyPipe } from '../../../src/cli/daemon/ready-pipe.js';

describe('ReadyPipe', () => {
  it('refuses a descriptor that is closed, or is no pipe', () => {
    const file = openSync('/dev/null', 'r+');
    for (const descriptor of [999_999, file]) assert.throws(() => new ReadyPipe(descriptor), { code: 'ERR_USAGE' });
    closeSync(file);
  });

  it('says nothing where nobody waits', () => {
    const pipe = new ReadyPipe(undefined);
    assert.equal(pipe.isOpen, false);
    pipe.ready();
    pipe.failed('no');
  });
});

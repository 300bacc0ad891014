import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NODE_ACTIONS } from '../../../src/cli/mesh/node-actions.js';

describe('What a node is started with', () => {
  it('is refused where it cannot be, before the invitation is used', async () => {
    const io = {} as Parameters<NonNullable<(typeof NODE_ACTIONS)[string]>>[1];
    const options = [{ exit: 'server', rootless: true }, { proxy: '1080' }] as const;
    for (const action of ['join', 'agent'])
      for (const values of options)
        await assert.rejects(NODE_ACTIONS[action]!({ words: ['wiretype-invite:TEXT'], values }, io), {
          code: 'ERR_USAGE',
        });
  });
});

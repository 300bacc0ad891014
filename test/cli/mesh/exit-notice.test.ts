import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ExitNotice, exitText } from '../../../src/cli/mesh/exit-notice.js';

const BOTH = ['0.0.0.0/0', '::/0'];

describe('exitText', () => {
  it('says what does not leave, and what helps', () => {
    const texts = [BOTH, ['0.0.0.0/0'], ['::/0'], []].map((routes) =>
      exitText({ node: 'server', isKnown: true, routes }),
    );
    const unknown = exitText({ node: 'sever', isKnown: false, routes: [] });

    assert.equal(texts[0], 'Everything else leaves by server.');
    assert.match(texts[1]!, /but for IPv6, which does not leave/);
    assert.match(texts[2]!, /but for IPv4, which does not leave/);
    assert.match(texts[3]!, /server is not approved as an exit: nothing leaves .*: wiretype mesh approve server$/);
    assert.match(unknown, /sever is not in the network: nothing leaves .* wiretype mesh nodes/);
  });
});

describe('ExitNotice', () => {
  it('says when the exit is used, and when it no longer is', () => {
    const said: string[] = [];
    const notice = new ExitNotice((line) => said.push(line));

    for (const routes of [[], [], BOTH, BOTH, []]) notice.note({ node: 'server', isKnown: true, routes });

    assert.deepEqual(
      said.map((line) => /not approved|leaves by server/.exec(line)?.[0]),
      ['not approved', 'leaves by server', 'not approved'],
    );
  });

  it('says nothing where no exit was chosen', () => {
    new ExitNotice(assert.fail).note(undefined);
  });
});

/** A gateway whose disk is full: traffic goes on, nothing is lost, and it says so. Topology: gateway-lab.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openGatewayLab, SERVER } from './gateway-lab.js';

const TIMEOUT = { timeout: 240_000 };

describe('a gateway on a full disk', () => {
  it('carries on, refuses changes with nothing changed, says why, and takes them again', TIMEOUT, async (t) => {
    const { client, ask, fillDisk, freeDisk } = await openGatewayLab(t, { isRoot: false, words: [], diskMegabytes: 4 });
    const page = (): Promise<string> =>
      client.run('curl', ['-sS', '--fail', '--max-time', '30', `http://${SERVER}/page`]);
    assert.equal(await page(), 'a page beyond the gateway\n');
    const before = await ask('export');
    await fillDisk!();
    let refused = '';
    for (let i = 0; i < 400 && refused === ''; i++)
      await ask('add', `device ${i}`, '--tag', 'x'.repeat(30)).catch((error: Error) => {
        refused = error.message;
      });
    assert.match(refused, /the disk is full/);
    const full = await ask('export');
    assert.equal(JSON.parse(await ask('status', '--json')).storeProblem, 'ERR_STORE_FULL');
    assert.equal(await page(), 'a page beyond the gateway\n', 'traffic goes on');
    await assert.rejects(ask('block', 'tablet'), /the disk is full/);
    assert.equal(await ask('export'), full, 'a refused change changes nothing');
    await freeDisk!();
    await ask('block', 'tablet');
    await ask('unblock', 'tablet');
    assert.equal(JSON.parse(await ask('status', '--json')).storeProblem, undefined);
    assert.ok((await ask('export')).startsWith(before.split('devices:')[0]!));
  });
});

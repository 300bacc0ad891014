/** Clocks that are wrong by years, and set right while everything runs; hostile.test.ts has that of a locked network. Topology: mesh-lab.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { waitFor } from '../../lab/wait.js';
import { countLost, openMeshLab, type Site } from './mesh-lab.js';
import { WrongClock } from './wrong-clock.js';

const TIMEOUT = { timeout: 240_000 };
const LAPTOP = 'laptop.home.internal';
const SERVER = 'server.home.internal';
const DAY_MS = 86_400_000;
const THREE_YEARS_MS = 3 * 365 * DAY_MS;

describe('A clock that is wrong by years', () => {
  it('of a host without a battery, and of the hub, stops nobody, and may be set right', TIMEOUT, async (t) => {
    const hubClock = new WrongClock(t, THREE_YEARS_MS);
    const clock = new WrongClock(t, DAY_MS - Date.now());
    const { hub, startHub, laptop, server, invite } = await openMeshLab(t, ['easy', 'easy'], false, hubClock.env);
    laptop.env = clock.env;
    await laptop.join(await invite(), 'laptop');
    await server.join(await invite(), 'server');
    await laptop.agent!.says(/the clock of this host is \d{5} days behind the hub's/);
    assert.match(await server.wiretype('status'), /the clock of this host is 1095 days behind the hub's/);
    assert.equal(await countLost(laptop, SERVER, 10), 0);

    hubClock.set(0);
    clock.set(0);
    assert.equal(await countLost(laptop, SERVER, 10), 0, 'from the moment on at which both clocks were set right');
    assert.equal(await hub.stop(), 0);
    await startHub();
    await waitFor('the right time', async () => (await clockErrorOf(laptop)) + (await clockErrorOf(server)) === 0);
    assert.equal(await countLost(server, LAPTOP, 10), 0);
    assert.deepEqual((await laptop.status()).refused, []);
  });
});

/** @returns 0: less than a day. */
async function clockErrorOf(site: Site): Promise<number> {
  return Math.abs((await site.status()).clockErrorMs ?? 0);
}

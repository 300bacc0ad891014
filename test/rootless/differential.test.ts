/** Sockets of a tunnel behave as those of Node: one script, run with both, sees the same. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { nodeSide, tunnelSide } from './network-side.js';
import { ADDON_SETTINGS, openPair, type PairOfHosts } from './pair-of-hosts.js';
import { SERVER_SCRIPTS } from './server-scripts.js';
import { TCP_SCRIPTS } from './tcp-scripts.js';
import { UDP_SCRIPTS } from './udp-scripts.js';

const SCRIPTS = { 'net.Socket': TCP_SCRIPTS, 'net.Server': SERVER_SCRIPTS, 'dgram.Socket': UDP_SCRIPTS };

for (const hasAddon of ADDON_SETTINGS)
  describe(`sockets of a tunnel beside those of Node, ${hasAddon ? 'with' : 'without'} the addon`, {
    timeout: 120_000,
  }, () => {
    let pair: PairOfHosts;
    before(async () => {
      pair = await openPair(hasAddon);
    });
    after(async () => {
      await pair.left.close();
      await pair.right.close();
    });

    for (const [name, scripts] of Object.entries(SCRIPTS))
      for (const [title, script] of Object.entries(scripts))
        it(`${name}: ${title}`, { timeout: 20_000 }, async () => {
          const [expected, actual] = [await script(nodeSide), await script(tunnelSide(pair.left, pair.right))];
          assert.deepEqual(actual, expected);
        });
  });

/** A store that fails tells nobody anything: agents keep the last good map. */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { formatKey } from '../../src/control/key-text.js';
import { WireGuardError } from '../../src/core/errors.js';
import type { MapMessage } from '../../src/mesh/map/messages.js';
import { labHub } from './lab-hub.js';
import { ServerLab } from './server-lab.js';

it('A change that the store refuses is pushed to no agent, and one that it takes is', {
  timeout: 60_000,
}, async (t) => {
  const hub = labHub();
  const lab = await ServerLab.open(undefined, { hub });
  t.after(async () => {
    await hub.close();
    await lab[Symbol.asyncDispose]();
  });
  const owner = await lab.setUp();
  const add = (name: string, number: number) => {
    const publicKey = formatKey(new Uint8Array(32).fill(number));
    return lab.call('POST', '/mesh/nodes', { name, publicKey, peers: [] }, owner);
  };
  const { id } = (await add('phone', 11)).body.node;
  const got: MapMessage[] = [];
  hub.publisher.subscribe({ node: id, send: (text) => got.push(JSON.parse(text)) > 0 }, undefined, Date.now());
  const { rev } = hub.publisher;
  assert.equal(got.length, 1);

  const commit = lab.store.commit.bind(lab.store);
  lab.store.commit = async () => {
    throw new WireGuardError('ERR_STORE_FULL', 'the disk is full');
  };
  const refused = await add('tablet', 12);
  const removal = await lab.call('DELETE', `/devices/${id}`, undefined, owner);
  for (const { status } of [refused, removal]) assert.ok(status >= 500, `${status}`);
  assert.deepEqual([got.length, hub.publisher.rev], [1, rev]);
  assert.deepEqual(
    [...hub.nodes.devices.values()].map(({ name }) => name),
    ['phone'],
    'what stood still stands',
  );

  lab.store.commit = commit;
  assert.equal((await add('tablet', 12)).status, 201);
  while (hub.publisher.rev === rev) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(hub.publisher.rev > rev);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { agentHealth } from '../../../src/cli/mesh/agent-health.js';

const HUB = { endpoint: '192.0.2.1:51820', way: 'udp' } as const;
const PEER = {
  id: '0',
  name: 'a',
  addresses: [],
  routes: [],
  kind: 'agent',
  path: 'direct',
  receivedBytes: 0,
} as const;

describe('the health of an agent', () => {
  it('is good while the hub or any node is reached', () => {
    assert.deepEqual(answer(true, []), { status: 200, hub: true, peers: 0 });
    assert.deepEqual(answer(false, ['no-answer', 'session']), { status: 200, hub: false, peers: 2 });
  });

  it('says what is missing otherwise', () => {
    assert.deepEqual(answer(false, ['no-answer']), {
      status: 503,
      hub: false,
      peers: 1,
      reason: 'neither the hub nor any node is reached',
    });
  });
});

function answer(isConnected: boolean, reasons: readonly ('session' | 'no-answer')[]): object {
  const peers = reasons.map((reasonCode) => ({ ...PEER, sentBytes: 0, reasonCode, reason: '' }));
  const { status, body } = agentHealth({ hub: { ...HUB, isConnected }, peers });
  return { status, ...JSON.parse(body) };
}

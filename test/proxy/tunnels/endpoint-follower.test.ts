import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { parseConfig } from '../../../src/control/config/index.js';
import type { ReasonCode } from '../../../src/core/session-reason.js';
import { EndpointFollower } from '../../../src/proxy/tunnels/endpoint-follower.js';
import type { RunningTunnel } from '../../../src/proxy/tunnels/tunnel-set.js';

const KEYS = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString('base64'));

describe('peers whose endpoint is a name', () => {
  it('are looked up again when they do not answer, and followed to their new address', async (t) => {
    const { follower, lines, endpoints, addresses } = open(t, 'no-answer');

    await follower.look();
    await follower.look();
    addresses.push('192.0.2.8');
    await follower.look();

    assert.deepEqual(lines, [
      'home: moving.example is at 192.0.2.7:51820',
      'home: moving.example is at 192.0.2.8:51820',
    ]);
    assert.deepEqual(
      endpoints.map(([key]) => key),
      [KEYS[0], KEYS[0], KEYS[0]],
    );
  });

  it('are left alone while they answer, and when the name is not found', async (t) => {
    const answering = open(t, 'session');
    await answering.follower.look();
    assert.deepEqual(answering.endpoints, []);

    const lost = open(t, 'no-answer');
    lost.addresses.length = 0;
    await lost.follower.look();
    assert.deepEqual([lost.endpoints, lost.lines], [[], []]);
  });
});

/** Opens a follower of three peers: one has a name, one an address, and one no endpoint. */
function open(t: TestContext, reasonCode: ReasonCode) {
  const [lines, endpoints, addresses] = [[] as string[], [] as [string, unknown][], ['192.0.2.7']];
  const lookup = async () => {
    const address = addresses.at(-1);
    if (address === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    return [{ address, family: 4 }];
  };
  const follower = new EndpointFollower((line) => lines.push(line), lookup);
  t.after(() => follower.close());
  const text = ['moving.example:51820', '192.0.2.1:51820', undefined].map((endpoint, i) => {
    const line = endpoint === undefined ? '' : `Endpoint = ${endpoint}\n`;
    return `[Peer]\nPublicKey = ${KEYS[i]}\n${line}`;
  });
  const host = {
    status: () => ({ peers: KEYS.map((publicKey) => ({ publicKey, reasonCode })) }),
    setEndpoint: async (key: string, endpoint: unknown) => void endpoints.push([key, endpoint]),
  };
  const config = { name: 'home', document: parseConfig(text.join(''), 'home.conf') };
  follower.watch([{ config, host } as unknown as RunningTunnel]);
  return { follower, lines, endpoints, addresses };
}

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';

import { ServerLab } from '../server-lab.js';

const TIME_LIMIT = { timeout: 60_000 };

interface Outcome {
  readonly status: number | undefined;
  readonly body: string;
}

it(
  'A supervisor asks without a sign-in and by any address, and learns why a gateway is not well',
  TIME_LIMIT,
  async () => {
    await using lab = await ServerLab.open();
    assert.deepEqual(await probe(lab, 'GET', '/healthz'), { status: 200, body: 'ok\n' });
    assert.deepEqual(await probe(lab, 'GET', '/livez'), { status: 200, body: 'ok\n' });
    assert.deepEqual(await probe(lab, 'HEAD', '/healthz'), { status: 200, body: '' });
    for (const path of ['/', '/api/v1/session', '/healthz/', '/livez/x'])
      assert.equal((await probe(lab, 'GET', path)).status, 421, path);

    Object.defineProperty(lab.gateway, 'storeProblem', { value: 'ERR_STORE_FULL' });
    const { status, body } = await probe(lab, 'GET', '/healthz');
    assert.deepEqual(
      [status, JSON.parse(body)],
      [503, { reason: 'the store takes no changes', code: 'ERR_STORE_FULL' }],
    );
    assert.deepEqual(await probe(lab, 'HEAD', '/healthz'), { status: 503, body: '' });
    assert.equal((await probe(lab, 'GET', '/livez')).status, 200, 'a restart would not mend it');
  },
);

/** Asks as the kubelet does: by the address of the pod. */
async function probe(lab: ServerLab, method: string, path: string): Promise<Outcome> {
  return await new Promise((resolve, reject) => {
    request(`${lab.origin}${path}`, { method, headers: { host: '10.1.2.3:8080' } }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    })
      .once('error', reject)
      .end();
  });
}

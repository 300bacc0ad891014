import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openInfoServer } from '../../../src/cli/proxy/info-server.js';

const HERE = { host: '127.0.0.1', port: 0 };
const TIMEOUT = { timeout: 30_000 };

describe('the server of health and metrics', () => {
  async function open(t: { after(close: () => void): void }) {
    const state = { ready: true };
    const source = { readiness: () => ({ ...state, tunnels: {} }), metrics: () => 'metric 1\n' };
    const server = await openInfoServer(HERE, source);
    t.after(() => server.close());
    return { server, state };
  }

  it('answers /readyz by 200 or 503, with the reasons as JSON', TIMEOUT, async (t) => {
    const { server, state } = await open(t);

    for (const ready of [true, false]) {
      state.ready = ready;
      const response = await fetch(`${server.url}/readyz`);
      assert.equal(response.status, ready ? 200 : 503);
      assert.deepEqual(await response.json(), { ready, tunnels: {} });
    }
  });

  it('answers /healthz while it runs, and /metrics for Prometheus', TIMEOUT, async (t) => {
    const { server } = await open(t);

    for (const path of ['livez', 'healthz']) assert.equal(await (await fetch(`${server.url}/${path}`)).text(), 'ok\n');
    const metrics = await fetch(`${server.url}/metrics?x=y`);
    assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(await metrics.text(), 'metric 1\n');
  });

  it('takes GET and HEAD only, and knows no other paths', TIMEOUT, async (t) => {
    const { server } = await open(t);

    const posted = await fetch(`${server.url}/metrics`, { method: 'POST', body: 'x' });
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
    assert.equal((await fetch(`${server.url}/readyz`, { method: 'HEAD' })).status, 200);
    assert.equal((await fetch(`${server.url}/`)).status, 404);
  });

  it('says so if the port is taken', TIMEOUT, async (t) => {
    const { server } = await open(t);
    const port = Number(new URL(server.url).port);

    const source = { readiness: () => ({ ready: true }), metrics: () => '' };
    await assert.rejects(openInfoServer({ ...HERE, port }, source), { code: 'ERR_LISTEN', message: /^--info 127/ });
  });
});

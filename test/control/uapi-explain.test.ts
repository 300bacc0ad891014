import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import type { DeviceControl } from '../../src/control/device-control.js';
import { UapiClient } from '../../src/control/uapi-client.js';
import { UapiServer } from '../../src/control/uapi-server.js';

const KEY = new Uint8Array(32).fill(7);
const SILENT: DeviceControl = {
  read: async (reader) => await reader({ privateKey: undefined, listenPort: 7, fwmark: 0, peers: [] }),
  apply: () => assert.fail('nothing is changed'),
};

describe('explain', { timeout: 120_000 }, () => {
  it('is answered with a reason per peer, beside the other operations', async (t) => {
    const peers = [{ publicKey: KEY, reason: { code: 'session', seconds: 0 } as const, verdicts: [] }];
    const client = await serve(t, { ...SILENT, explain: () => ({ verdicts: [], peers }) });

    assert.deepEqual((await client.explain())?.peers, [
      { publicKey: KEY, reasonCode: 'session', reason: 'There is a session.', drops: new Map() },
    ]);
    assert.equal((await client.get()).listenPort, 7);
  });

  it('is no question to a daemon that does not know it, which goes on with others', async (t) => {
    const client = await serve(t, SILENT);

    assert.equal(await client.explain(), undefined);
    assert.equal((await client.get()).listenPort, 7);
  });
});

async function serve(t: Pick<TestContext, 'after'>, control: DeviceControl): Promise<UapiClient> {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-'));
  const uapi = new UapiServer(control);
  const server = createServer({ allowHalfOpen: true }, (socket) => void uapi.serve(socket));
  t.after(() => {
    uapi.close();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'wg0.sock');
  server.listen(path);
  await once(server, 'listening');
  return new UapiClient(path);
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { show } from '../../../src/cli/device/show-command.js';
import { UapiClient } from '../../../src/control/uapi-client.js';
import { exchange } from '../../../src/control/uapi-exchange.js';
import { runCommand } from '../device/run-command.js';
import { runOurs } from './run-wg.js';

describe('a daemon that takes questions and does not answer', { concurrency: true }, () => {
  let directory: string;
  let server: Server;
  const sockets: Socket[] = [];

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-silent-'));
    server = createServer((socket) => sockets.push(socket));
    server.listen(join(directory, 'wg0.sock'));
    await once(server, 'listening');
  });

  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true });
  });

  it('is given up after 10 seconds by wg show of all', async () => {
    const startMs = performance.now();

    const { status, err } = await runOurs(directory, ['show']);

    assert.deepEqual([status, err], [1, 'Unable to access interface wg0: Connection timed out\n']);
    assert.ok(Math.abs(performance.now() - startMs - 10_000) < 5_000);
  });

  it('is given up by wiretype show, in a sentence', async () => {
    const { code, message } = await runCommand(show, directory, ['wg0']);

    assert.deepEqual([code, message], ['ERR_CONTROL_TIMEOUT', 'wg0: its daemon has not answered within 10 s']);
  });

  it('is given up by whatever uses the client', async () => {
    await assert.rejects(new UapiClient(join(directory, 'wg0.sock')).get(), { code: 'ERR_CONTROL_TIMEOUT' });
  });

  it('has as much time as it answers bit by bit', async () => {
    const path = join(directory, 'slow');
    const slow = createServer((socket) => {
      const bytes = [...'errno=0\n\n'];
      const timer = setInterval(() => {
        const next = bytes.shift();
        if (next === undefined) clearInterval(timer);
        else socket.write(next);
      }, 50);
    });
    slow.listen(path);
    await once(slow, 'listening');

    const reply = await exchange(path, [Buffer.from('get=1\n\n')], 250);

    slow.close();
    assert.equal(reply.toString(), 'errno=0\n\n');
  });
});

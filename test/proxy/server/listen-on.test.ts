import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { listenOn } from '../../../src/proxy/server/listen-on.js';

describe('listening on a place of this host', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-listen-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('gives a UNIX socket to its user alone, and removes the file at the end', async () => {
    const path = join(folder, 'own.sock');
    const listener = await listenOn({ path }, (socket) => socket.end());
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await once(connect(path), 'connect');
    listener.close();
    assert.equal(existsSync(path), false);
  });

  it('replaces the socket of a program that has ended, refuses one that is answered, and never touches another file', async () => {
    const stale = join(folder, 'stale.sock');
    const program = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', program]);
    assert.ok(statSync(stale).isSocket());
    const listener = await listenOn({ path: stale }, (socket) => socket.end());
    await assert.rejects(
      listenOn({ path: stale }, () => {}),
      { code: 'ERR_LISTEN', message: /another program does/ },
    );
    await once(connect(stale), 'connect');
    listener.close();

    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    await assert.rejects(
      listenOn({ path: file }, () => {}),
      { code: 'ERR_LISTEN', message: /no socket/ },
    );
    assert.ok(statSync(file).isFile());
  });

  it('says why a place cannot be used', async () => {
    for (const [at, reason] of [
      [{ host: '192.0.2.1', port: 0 }, /192\.0\.2\.1:0: this host has no such address/],
      [{ path: join(folder, 'none', 'x.sock') }, /x\.sock: /],
    ] as const)
      await assert.rejects(
        listenOn(at, () => {}),
        { code: 'ERR_LISTEN', message: reason },
      );
  });
});

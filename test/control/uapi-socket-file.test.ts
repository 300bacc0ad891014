import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UapiSocketFile } from '../../src/control/uapi-socket-file.js';

describe('control socket file', { timeout: 120_000 }, () => {
  let directory: string;
  let path: string;
  let opened: UapiSocketFile[];

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'wiretype-socket-')), 'wireguard');
    path = join(directory, 'wg0.sock');
    opened = [];
  });
  afterEach(() => {
    for (const file of opened) file.close();
    rmSync(join(directory, '..'), { recursive: true, force: true });
  });

  async function create(onRemoved: () => void = () => {}): Promise<UapiSocketFile> {
    const file = await UapiSocketFile.create(path, { onConnection: (socket) => socket.end('hello'), onRemoved });
    opened.push(file);
    return file;
  }

  it('is for its owner only, in a directory that everyone may list, whatever the umask', async () => {
    for (const mask of [0o000, 0o022, 0o077]) {
      const umask = process.umask(mask);
      try {
        (await create()).close();
        await create();
      } finally {
        assert.equal(process.umask(umask), mask);
      }
      assert.equal(statSync(path).mode & 0o7777, 0o600);
      assert.equal(statSync(directory).mode & 0o7777, 0o755);
      assert.deepEqual(readdirSync(directory), ['wg0.sock']);
      assert.equal(await greeting(path), 'hello');
      for (const file of opened.splice(0)) file.close();
    }
  });

  it('is never open to others while it is made, under any umask', async () => {
    const umask = process.umask(0);
    const modes = new Set<number>();
    const watcher = setInterval(() => {
      for (const name of existsSync(directory) ? readdirSync(directory) : []) modes.add(modeOf(join(directory, name)));
    });
    try {
      for (let i = 0; i < 50; i++) (await create()).close();
    } finally {
      clearInterval(watcher);
      process.umask(umask);
    }
    assert.deepEqual(
      [...modes].filter((mode) => (mode & 0o077) !== 0),
      [],
    );
  });

  it('is not made in a directory that others may write to', async () => {
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    await assert.rejects(create(), { code: 'ERR_CONTROL_SOCKET', message: /written to by other users/ });
  });

  it('stops listening when it cannot be put into its place', async () => {
    mkdirSync(path, { recursive: true });
    await assert.rejects(create(), { code: 'ERR_CONTROL_SOCKET' });
    assert.deepEqual(readdirSync(directory), ['wg0.sock']);
    assert.equal(process.getActiveResourcesInfo().includes('PipeServerWrap'), false);
  });

  it('replaces the file of a daemon that is dead', async () => {
    const dead = await create();
    renameSync(path, `${path}.kept`); // closing removes the file, a crash would not
    dead.close();
    renameSync(`${path}.kept`, path);
    await assert.rejects(greeting(path), { code: 'ECONNREFUSED' });

    await create();
    assert.equal(await greeting(path), 'hello');
  });

  it('replaces a plain file and a dangling link', async () => {
    (await create()).close();
    writeFileSync(path, '');
    (await create()).close();
    symlinkSync('/nowhere', path);
    await create();
    assert.equal(await greeting(path), 'hello');
  });

  it('refuses to replace the file of a daemon that lives', async () => {
    const other = createServer();
    (await create()).close();
    await once(other.listen(path), 'listening');
    try {
      await assert.rejects(create(), { code: 'ERR_DAEMON_RUNNING' });
      assert.ok(existsSync(path));
    } finally {
      other.close();
    }
  });

  it('says where it cannot be made', async () => {
    writeFileSync(directory, 'not a directory');
    await assert.rejects(create(), { code: 'ERR_CONTROL_SOCKET', message: /wg0\.sock/ });
  });

  it('notices that it was deleted', async () => {
    await new Promise<void>((resolve) => void create(resolve).then(() => rmSync(path)));
  });

  it('notices that another took its place, and leaves that one alone', async () => {
    const file = await new Promise<UapiSocketFile>((resolve) => {
      void create(() => resolve(opened[0])).then(() => {
        writeFileSync(`${path}.new`, '');
        renameSync(`${path}.new`, path);
      });
    });
    file.close();
    assert.ok(existsSync(path));
  });

  it('ignores other files in its directory', async () => {
    let wasRemoved = false;
    await create(() => {
      wasRemoved = true;
    });
    writeFileSync(join(directory, 'wg1.sock'), '');
    rmSync(join(directory, 'wg1.sock'));
    assert.equal(await greeting(path), 'hello');
    assert.equal(wasRemoved, false);
  });

  it('disappears when it is closed, without a notice', async () => {
    const file = await create(() => assert.fail('told of its own end'));
    file.close();
    assert.ok(!existsSync(path));
  });
});

function modeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
}

function greeting(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setEncoding('latin1');
    socket.on('data', resolve);
    socket.on('error', reject);
  });
}

/**
 * A start that fails leaves nothing, signals always end the daemon, and scarce resources do not.
 *
 * Topology: one host, nothing else.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { openControlSocket, request } from '../lab/control-socket.js';
import { subject, wireguardGo } from '../lab/implementation.js';
import { Lab } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const TIMEOUT = { timeout: 240_000 };
const isSkipped = subject === wireguardGo && 'about our daemon';

describe('a start that fails late', { skip: isSkipped }, () => {
  for (const [title, words] of [
    ['in the foreground', ['-f']],
    ['in the background', []],
  ] as const)
    it(`leaves no process, no interface and no socket: ${title}`, TIMEOUT, async (t) => {
      const { host, wireguard } = await openHost(t);
      mkdirSync(wireguard.socketPath);
      t.after(() => rmSync(wireguard.socketPath, { recursive: true, force: true }));

      const { status, stderr } = await host.attempt(subject.command, [...words, wireguard.name]);

      assert.equal(status, 1);
      assert.match(stderr, /ERR_CONTROL_SOCKET/);
      await assertNothingLeft(host, wireguard);
    });

  it('leaves nothing either under a supervisor', TIMEOUT, async (t) => {
    const { host, wireguard } = await openHost(t);
    mkdirSync(wireguard.socketPath);
    t.after(() => rmSync(wireguard.socketPath, { recursive: true, force: true }));

    const env = { WIRETYPE_SUPERVISE: '1' };
    const { status, stderr } = await host.attempt(subject.command, [wireguard.name], { env });

    assert.equal(status, 1);
    assert.match(stderr, /ERR_CONTROL_SOCKET/);
    await assertNothingLeft(host, wireguard);
  });

  it('says in a sentence what is wrong with its variables', TIMEOUT, async (t) => {
    const { host, wireguard } = await openHost(t);
    for (const [variable, value, pattern] of [
      ['WIRETYPED_READY_FD', '77', /WIRETYPED_READY_FD is not a pipe/],
      ['WIRETYPED_READY_FD', 'x', /WIRETYPED_READY_FD is not the number of a file descriptor/],
      ['WIRETYPE_SECCOMP', 'yes', /WIRETYPE_SECCOMP is neither 0 nor 1/],
      ['WG_UAPI_FD', '88', /88/],
    ] as const) {
      const { status, stderr } = await host.attempt(subject.command, ['-f', wireguard.name], {
        env: { [variable]: value },
      });
      assert.ok(status === 1 || status === 2, stderr);
      assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /\n\s+at /);
      await assertNothingLeft(host, wireguard);
    }
  });

  it('refuses a listening socket of TCP, which would be open to the network', TIMEOUT, async (t) => {
    const { host, wireguard } = await openHost(t);
    const server = createServer();
    t.after(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const descriptor = (server as unknown as { _handle: { fd: number } })._handle.fd;

    const words = ['netns', 'exec', host.namespace, subject.command, '-f', wireguard.name];
    const child = spawn('ip', words, {
      env: { ...process.env, WG_UAPI_FD: '3' },
      stdio: ['ignore', 'ignore', 'pipe', descriptor],
    });
    let stderr = '';
    child.stderr!.on('data', (text) => {
      stderr += text;
    });
    const [status] = await once(child, 'close');
    assert.equal(status, 1);
    assert.match(stderr, /not a Unix socket/);
    await assertNothingLeft(host, wireguard);
  });
});

describe('a signal', { skip: isSkipped }, () => {
  it('ends a daemon whose log nobody reads, and the log takes no memory', TIMEOUT, async (t) => {
    const { host, wireguard } = await openHost(t);
    const words = ['netns', 'exec', host.namespace, subject.command, '-f', wireguard.name];
    const child = spawn('ip', words, {
      env: { ...process.env, LOG_LEVEL: 'debug' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await waitFor('the control socket', async () => await wireguard.answers());
    for (let i = 0; i < 2_000; i++) await request(wireguard.socketPath, 'set=1\nnonsense=1\n\n');

    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    child.stderr!.destroy();
  });

  it('ends a daemon whose configuration file has become a FIFO', TIMEOUT, async (t) => {
    const { lab, host, wireguard } = await openHost(t);
    const file = join(lab.folder, 'fifo.conf');
    await host.run('mkfifo', [file]);
    await wireguard.start({ env: { WIRETYPE_CONFIG_FILE: file } });
    await pause(31_000); // the daemon has looked at its file

    assert.equal(await wireguard.daemon?.stop(), 0);
    await assertNothingLeft(host, wireguard);
  });
});

describe('a daemon in the background', { skip: isSkipped }, () => {
  it('lets go of standard output, also when its log is wanted', TIMEOUT, async (t) => {
    const { host, wireguard } = await openHost(t);
    const script = 'x=$(LOG_LEVEL=error "$0" "$1" 2>/dev/null); echo "ended $x"';
    const output = await host.run('sh', ['-c', script, subject.command, wireguard.name], { timeoutMs: 20_000 });
    assert.equal(output, 'ended \n');
    assert.ok(await wireguard.answers());
  });
});

describe('a daemon without free descriptors', { skip: isSkipped }, () => {
  it('goes on, and answers again when descriptors come free', TIMEOUT, async (t) => {
    const { host, wireguard } = await openHost(t);
    const program = host.start('sh', ['-c', 'ulimit -n 48; exec "$0" -f "$1"', subject.command, wireguard.name]);
    await waitFor('the control socket', async () => await wireguard.answers());
    await wireguard.setKeys(wireguard.keys, 51820);
    await request(wireguard.socketPath, `set=1\npublic_key=${'ab'.repeat(32)}\nendpoint=[fe80::1%lo]:1\n\n`);

    const first = await openControlSocket(wireguard.socketPath);
    const idle = [];
    for (let i = 0; i < 60; i++) idle.push(await openControlSocket(wireguard.socketPath));
    first.write('get=1\n\n');
    const [answer] = await once(first, 'data');
    assert.match(String(answer), /listen_port=51820/);
    for (const socket of [first, ...idle]) socket.destroy();

    await waitFor('an answer', async () => /errno=0/.test(await request(wireguard.socketPath, 'get=1\n\n')));
    assert.ok(program.isRunning);
    assert.equal(await program.stop(), 0);
  });
});

async function openHost(t: Parameters<typeof Lab.open>[0]): Promise<{ lab: Lab; host: Host; wireguard: Wireguard }> {
  const lab = Lab.open(t);
  const host = await lab.host('host');
  return { lab, host, wireguard: new Wireguard(lab, host, subject) };
}

async function assertNothingLeft(host: Host, wireguard: Wireguard): Promise<void> {
  await waitFor('the process to be gone', async () => (await host.processIds()).length === 0);
  assert.doesNotMatch(await host.ip('-o link show'), new RegExp(wireguard.name));
  assert.equal(await host.run('ss', ['-ulnH']), '');
  assert.ok(!existsSync(wireguard.socketPath) || !(await wireguard.answers()));
}

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';

const LOADER = new URL('../../src/addon/load.js', import.meta.url).href;
const NOBODY = 65_534;
const addon = loadAddon();

describe('bootTimeMs', () => {
  it('is the time since the machine started, in whole milliseconds', () => {
    const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1_000;
    const bootTimeMs = addon.bootTimeMs();
    assert.ok(Number.isInteger(bootTimeMs));
    assert.ok(bootTimeMs >= uptimeMs - 20 && bootTimeMs < uptimeMs + 10_000, `${bootTimeMs}, ${uptimeMs}`);
  });

  it('never goes backwards', () => {
    let before = addon.bootTimeMs();
    for (let i = 0; i < 10_000; i++) {
      const now = addon.bootTimeMs();
      assert.ok(now >= before);
      before = now;
    }
  });
});

describe('netnsCookie', () => {
  it('is the same for two processes of one network namespace', () => {
    assert.equal(cookieOf([]), String(addon.netnsCookie()));
  });

  it('differs between two network namespaces, also where the second takes the place of the first', () => {
    const cookies = [addon.netnsCookie(), cookieOf(['unshare', '--net']), cookieOf(['unshare', '--net'])].map(String);
    assert.equal(new Set(cookies).size, 3, cookies.join());
  });
});

describe('hardenProcess', () => {
  it('leaves no core dump behind', () => {
    const limits = run(`
      assert.equal(addon.hardenProcess(), 0);
      console.log(JSON.stringify(readFileSync('/proc/self/limits', 'utf8').match(/^Max core file size.*$/m)[0]));
    `);
    assert.match(String(limits), /^Max core file size\s+0\s+0\s/);
  });

  it('keeps other processes of the same user out of its memory', () => {
    const uids = run(`
      process.setgid(${NOBODY});
      process.setuid(${NOBODY});
      const uid = () => statSync(\`/proc/\${process.pid}/mem\`).uid;
      spawnSync('/bin/true');
      assert.equal(addon.hardenProcess(), 0);
      console.log(JSON.stringify([uid(), process.getuid()]));
    `);
    assert.deepEqual(uids, [0, NOBODY], 'the files of the process belong to root, who alone may open them');
  });
});

describe('denySystemCalls', () => {
  it('refuses to start programs, in all threads, and leaves the rest to the process', () => {
    const result = run(`
      const { Worker } = await import('node:worker_threads');
      const started = () => spawnSync('/bin/true').error?.code ?? 'started';
      const inWorker = (program) => new Promise((resolve, reject) => {
        const worker = new Worker(program, { eval: true, execArgv: [] });
        worker.on('message', resolve).on('error', reject);
      });
      const ask = \`const { parentPort } = require('node:worker_threads');
        const { spawnSync } = require('node:child_process');
        const started = () => spawnSync('/bin/true').error?.code ?? 'started';
        parentPort.on('message', () => { parentPort.postMessage(started()); parentPort.unref(); });\`;
      const older = new Worker(ask, { eval: true, execArgv: [] });
      await new Promise((resolve) => older.once('online', resolve));
      const before = started();
      assert.equal(addon.denySystemCalls(), 0);
      const after = started();
      const answer = new Promise((resolve) => older.once('message', resolve));
      older.postMessage('');
      const olderThread = await answer;
      await older.terminate();
      const newerThread = await inWorker("require('node:worker_threads').parentPort.postMessage('runs')");
      const status = readFileSync('/proc/self/status', 'utf8');
      const seccomp = status.match(/^Seccomp:\\s+(\\d)/m)[1];
      const noNewPrivileges = status.match(/^NoNewPrivs:\\s+(\\d)/m)[1];
      console.log(JSON.stringify({ before, after, olderThread, newerThread, seccomp, noNewPrivileges }));
    `);
    assert.deepEqual(result, {
      before: 'started',
      after: 'EPERM',
      olderThread: 'EPERM',
      newerThread: 'runs',
      seccomp: '2',
      noNewPrivileges: '1',
    });
  });

  it('may be called twice, and lets a tunnel open its descriptors and keys', () => {
    const result = run(`
      assert.equal(addon.denySystemCalls(), 0);
      assert.equal(addon.denySystemCalls(), 0);
      const udp = addon.udpOpen(0, 0, new Uint32Array(512), new Uint8Array(44));
      const monitor = addon.monitorOpen(3, -1);
      const table = addon.aeadCreate(2);
      const out = new Uint8Array(32);
      addon.x25519PublicKey(out, new Uint8Array(32).fill(7));
      console.log(JSON.stringify([typeof udp, typeof monitor, typeof table, out.some((byte) => byte !== 0)]));
      addon.close(udp);
      addon.close(monitor);
    `);
    assert.deepEqual(result, ['object', 'object', 'object', true]);
  });
});

/** The cookie in a process that is started by `words`. */
function cookieOf(words: readonly string[]): string {
  const [program = '', ...args] = [...words, process.execPath, '--input-type=module', '-e', PROLOGUE + PRINT_COOKIE];
  return execFileSync(program, args, { encoding: 'utf8' }).trim();
}

/** Returns the output of a separate program that has `addon`. */
function run(program: string): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', PROLOGUE + program], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const PROLOGUE = `
  import assert from 'node:assert/strict';
  import { execFileSync, spawnSync } from 'node:child_process';
  import { readFileSync, statSync } from 'node:fs';
  import { loadAddon } from ${JSON.stringify(LOADER)};
  const addon = loadAddon();
`;
const PRINT_COOKIE = 'console.log(String(addon.netnsCookie()));';

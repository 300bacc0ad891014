import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';

import { FileLock } from '../../../src/host/net/file-lock.js';
import { markSourceValidation, restoreSourceValidation } from '../../../src/host/net/source-validation.js';
import { TunnelRecords } from '../../../src/host/net/tunnel-record.js';
import { FakeCommands } from './fake-commands.js';

const run = promisify(execFile);
const MODULE = new URL('../../../src/host/net/file-lock.js', import.meta.url).href;
const DIVERTING = '[{"priority":5,"not":null,"src":"all","fwmark":"0xca6c","table":"51820"}]';

describe('FileLock', () => {
  it('has one holder at a time', async (t) => {
    const file = join(scratch(t), 'new', 'lock');
    const first = await FileLock.tryAcquire(file);

    assert.equal(await FileLock.tryAcquire(file), undefined);
    const waiting = FileLock.acquire(file);
    first!.release();
    const second = await waiting;

    assert.ok(second !== undefined);
    assert.equal(await FileLock.tryAcquire(file), undefined);
    second.release();
    second.release();
    const third = await FileLock.tryAcquire(file);
    assert.ok(third !== undefined);
    third.release();
  });

  it('gives up after a while', async (t) => {
    const file = join(scratch(t), 'lock');
    const first = await FileLock.acquire(file);

    assert.equal(await FileLock.acquire(file, 200), undefined);
    first!.release();
  });

  it('is lent to a process that the holder has started, whatever the environment of that process', async (t) => {
    const file = join(scratch(t), 'lock');
    const ask = `const { FileLock } = await import(${JSON.stringify(MODULE)}); console.log(await FileLock.tryAcquire(process.argv[1]) !== undefined)`;
    const child = ['--input-type=module', '-e', ask, file];
    const holder = await FileLock.acquire(file);

    const { stdout } = await run('bash', ['-c', '"$0" "$@"; true', process.execPath, ...child], { env: {} });
    assert.equal(stdout, 'true\n', 'a descendant');
    assert.equal(await FileLock.tryAcquire(file), undefined, 'the process itself asked twice');
    holder!.release();
  });

  it('is none where the folder cannot be written', async () => {
    const lock = await FileLock.acquire('/etc/hosts/folder/lock');
    assert.ok(lock !== undefined);
    lock.release();
  });

  it('follows a file that is replaced', async (t) => {
    const file = join(scratch(t), 'lock');
    const lock = await FileLock.acquire(file);
    assert.ok(lock!.isOf(file));

    writeFileSync(`${file}.new`, '');
    renameSync(`${file}.new`, file);

    assert.ok(!lock!.isOf(file));
    lock!.release();
  });
});

describe('TunnelRecords', () => {
  it('keeps a record until it is removed, for root alone', (t) => {
    const records = new TunnelRecords(join(scratch(t), 'state'));
    assert.equal(records.read('wg0'), undefined);

    records.write('wg0', { table: 51_820, diverted: [4], dns: 'resolvconf' });
    records.write('wg1', {});

    assert.deepEqual(records.read('wg0'), { table: 51_820, diverted: [4], dns: 'resolvconf' });
    assert.equal(statSync(join(records.folder, 'wg0.json')).mode & 0o777, 0o600);
    assert.equal(statSync(records.folder).mode & 0o777, 0o700);
    records.remove('wg0');
    records.remove('wg0');
    assert.equal(records.read('wg0'), undefined);
    assert.deepEqual(readdirSync(records.folder), ['wg1.json']);
  });

  it('does not write what is there already', (t) => {
    const records = new TunnelRecords(scratch(t));
    records.write('wg0', { table: 51_820 });
    const { ino } = statSync(join(records.folder, 'wg0.json'));

    records.write('wg0', { table: 51_820 });

    assert.equal(statSync(join(records.folder, 'wg0.json')).ino, ino);
  });

  it('takes a damaged record for none', (t) => {
    const records = new TunnelRecords(scratch(t));
    for (const text of ['', '{', '7', 'null', '"x"']) {
      writeFileSync(join(records.folder, 'wg0.json'), text);
      assert.equal(records.read('wg0'), undefined, text);
    }
  });
});

describe('source validation by mark', () => {
  it('is switched on, and back when the last tunnel has gone', async (t) => {
    const [folder, file] = [scratch(t), join(scratch(t), 'src_valid_mark')];
    writeFileSync(file, '0\n');
    let rules = DIVERTING;
    const commands = new FakeCommands(() => rules);

    markSourceValidation(commands, folder, file);
    markSourceValidation(commands, folder, file);
    assert.equal(readFileSync(file, 'utf8'), '1');
    await restoreSourceValidation(commands, folder, file);
    assert.equal(readFileSync(file, 'utf8'), '1', 'another tunnel needs it');
    rules = '[]';
    await restoreSourceValidation(commands, folder, file);
    await restoreSourceValidation(commands, folder, file);

    assert.equal(readFileSync(file, 'utf8'), '0');
    assert.deepEqual(commands.echoes, [
      'sysctl -q net.ipv4.conf.all.src_valid_mark=1',
      'sysctl -q net.ipv4.conf.all.src_valid_mark=0',
    ]);
  });

  it('is left alone where it was on, and a warning where it cannot be set', (t) => {
    const [folder, file] = [scratch(t), join(scratch(t), 'src_valid_mark')];
    const commands = new FakeCommands();
    writeFileSync(file, '1\n');
    markSourceValidation(commands, folder, file);
    assert.deepEqual([commands.echoes, readdirSync(folder)], [[], []]);

    markSourceValidation(commands, folder, join(file, 'missing'));
    assert.match(commands.warnings[0]!, /src_valid_mark could not be set \(ENOTDIR\)/);
  });
});

function scratch(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

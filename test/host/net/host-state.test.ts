import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import { FileLock } from '../../../src/host/net/file-lock.js';
import { markSourceValidation, restoreSourceValidation } from '../../../src/host/net/source-validation.js';
import { TunnelRecords } from '../../../src/host/net/tunnel-record.js';
import { FakeCommands } from './fake-commands.js';

const DIVERTING = '[{"priority":5,"not":null,"src":"all","fwmark":"0xca6c","table":"51820"}]';

describe('FileLock', () => {
  it('has one holder at a time', async (t) => {
    const file = join(scratch(t), 'new', 'lock');
    const first = await FileLock.tryAcquire(file);

    assert.equal(await FileLock.tryAcquire(file), undefined);
    const waiting = FileLock.acquire(file);
    await first!.release();
    const second = await waiting;

    assert.ok(second !== undefined);
    assert.equal(await FileLock.tryAcquire(file), undefined);
    await second.release();
    await second.release();
    const third = await FileLock.tryAcquire(file);
    assert.ok(third !== undefined);
    await third.release();
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

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { KernelSwitches, type Switch } from '../../../src/gateway/uplink/kernel-switches.js';

/** Files in the place of those below /proc/sys. */
function withFiles(test: (file: (name: string, value: string) => string, record: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-switches-'));
  try {
    test(
      (name, value) => {
        writeFileSync(join(folder, name), `${value}\n`);
        return join(folder, name);
      },
      join(folder, 'record'),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const read = (file: string): string => readFileSync(file, 'utf8').trim();
const on = (file: string): Switch => ({ file, from: '0', to: '1' });

describe('KernelSwitches', () => {
  it('turns what is off, and turns only that back', () =>
    withFiles((file, record) => {
      const [off, already] = [file('a', '0'), file('b', '1')];
      const switches = KernelSwitches.turn([on(off), on(already)], record);
      assert.deepEqual([read(off), read(already)], ['1', '1']);
      assert.equal(statSync(record).mode & 0o777, 0o600);
      switches.turnBack();
      assert.deepEqual([read(off), read(already), existsSync(record)], ['0', '1', false]);
    }));

  it('turns back what an earlier program turned that was killed', () =>
    withFiles((file, record) => {
      const [first, second] = [file('a', '0'), file('b', '0')];
      KernelSwitches.turn([on(first)], record);
      const next = KernelSwitches.turn([on(first), on(second)], record);
      next.turnBack();
      assert.deepEqual([read(first), read(second), existsSync(record)], ['0', '0', false]);
    }));

  it('turns nothing if one cannot be turned, and does without a record that is damaged', () =>
    withFiles((file, record) => {
      const first = file('a', '0');
      const folder = file('b', '0');
      const bad = { file: folder, from: '0', to: Symbol('no text') as unknown as string };
      assert.throws(() => KernelSwitches.turn([on(first), bad], record));
      assert.deepEqual([read(first), existsSync(record)], ['0', false]);
      writeFileSync(record, '[["');
      chmodSync(record, 0o600);
      KernelSwitches.turn([on(first)], record).turnBack();
      assert.equal(read(first), '0');
    }));
});

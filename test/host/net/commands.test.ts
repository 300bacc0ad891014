import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { WireGuardError } from '../../../src/core/errors.js';
import { findProgram, SystemCommands } from '../../../src/host/net/commands.js';

describe('SystemCommands', () => {
  it('hands arguments over as they are, whatever a shell would make of them', async () => {
    const words = ['$(touch hacked)', '`id`', "a'b", 'a"b', '; ls', '*', '', 'ü\n'];

    const { status, stdout } = await quiet().ask(['printf', '%s|', ...words]);

    assert.deepEqual([status, stdout], [0, words.map((word) => `${word}|`).join('')]);
  });

  it('gives input, and takes it well when it is not read', async () => {
    assert.equal((await quiet().ask(['cat'], 'text')).stdout, 'text');
    assert.equal((await quiet().ask(['true'], 'x'.repeat(1_000_000))).status, 0);
  });

  it('echoes commands, and includes the output of the program in its error', async () => {
    let output = '';
    const commands = new SystemCommands((text) => {
      output += text;
    });

    await assert.rejects(commands.run(['sh', '-c', 'echo no way >&2; exit 4']), (error) => {
      assert.ok(error instanceof WireGuardError && error.code === 'ERR_COMMAND_FAILED');
      assert.equal(error.message, 'sh -c echo no way >&2; exit 4: no way');
      return true;
    });

    assert.equal(output, '[#] sh -c echo no way >&2; exit 4\n');
  });

  it('distinguishes a missing program from a failing one', async () => {
    const name = 'no-such-program-of-wiretype';

    assert.equal((await quiet().ask([name])).status, 127);
    await assert.rejects(quiet().run([name]), { code: 'ERR_COMMAND_MISSING' });
    assert.ok(!quiet().has(name));
    assert.ok(quiet().has('sh'));
  });

  it('makes programs print English', async () => {
    assert.equal((await quiet().ask(['sh', '-c', 'echo $LC_ALL'])).stdout, 'C\n');
  });
});

describe('findProgram', () => {
  it('finds executable files only, the first of the path', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'plain'), '');
    writeFileSync(join(folder, 'tool'), '');
    chmodSync(join(folder, 'tool'), 0o755);

    assert.equal(findProgram('tool', `/nowhere:${folder}`), join(folder, 'tool'));
    assert.equal(findProgram(join(folder, 'tool'), ''), join(folder, 'tool'));
    assert.equal(findProgram('plain', folder), undefined);
    assert.equal(findProgram(folder, ''), undefined);
  });
});

function quiet(): SystemCommands {
  return new SystemCommands(() => {});
}

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';

import { findConfig, interfaceOf, isWorldAccessible } from '../../../src/cli/quick/config-path.js';
import { WireGuardError } from '../../../src/core/errors.js';

describe('findConfig', () => {
  it('takes a word for an interface, and what else there is for a file', (t) => {
    const folder = scratch(t);
    const [named, elsewhere] = [join(folder, 'wg0.conf'), join(folder, 'sub', 'vpn-1.conf')];
    mkdirSync(join(folder, 'sub'));
    for (const file of [named, elsewhere]) writeFileSync(file, '');

    assert.deepEqual(findConfig('wg0', folder), { interfaceName: 'wg0', file: named });
    assert.deepEqual(findConfig(elsewhere, folder), { interfaceName: 'vpn-1', file: elsewhere });
  });

  it('takes the name of a link, and the file behind it', (t) => {
    const folder = scratch(t);
    writeFileSync(join(folder, 'any name at all'), '');
    symlinkSync('any name at all', join(folder, 'wg7.conf'));

    assert.deepEqual(findConfig('wg7', folder), { interfaceName: 'wg7', file: join(folder, 'any name at all') });
  });

  it('refuses names that are no interface, or an option to other programs', (t) => {
    const folder = scratch(t);
    for (const name of ['-x.conf', '..conf', '...conf', 'a b.conf', 'sixteencharacter.conf', 'wg0', 'ä.conf']) {
      writeFileSync(join(folder, name), '');
      assert.throws(() => findConfig(join(folder, name), folder), { code: 'ERR_INTERFACE_NAME' }, name);
    }
  });

  it('says what is missing', (t) => {
    const folder = scratch(t);
    symlinkSync('nowhere', join(folder, 'wg1.conf'));

    assert.throws(() => findConfig('wg0', folder), { code: 'ERR_CONFIG_FILE', message: /wg0\.conf' does not exist$/ });
    assert.throws(() => findConfig('wg1', folder), { message: /is a link to a file that does not exist/ });
    assert.throws(() => findConfig('', folder), { code: 'ERR_CONFIG_FILE' });
    assert.throws(() => findConfig(join(folder, 'wg0', 'x.conf'), folder), { message: /x\.conf' does not exist$/ });
  });

  it('says what else is in the way', (t) => {
    const folder = scratch(t);
    symlinkSync('wg1.conf', join(folder, 'wg1.conf'));

    assert.throws(() => findConfig('wg1', folder), {
      code: 'ERR_CONFIG_FILE',
      message: /cannot be read: too many symbolic links/,
    });
    assert.throws(() => findConfig(`/${'x'.repeat(300)}.conf`, folder), { message: /cannot be read: name too long/ });
  });

  it('finds a file, or says why not, whatever it is asked for', (t) => {
    const folder = scratch(t);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z0-9_=+./-]{0,20}$/)), (argument) => {
        try {
          findConfig(argument, folder);
        } catch (error) {
          assert.ok(error instanceof WireGuardError, String(error));
        }
        assert.match(interfaceOf(argument) ?? 'none', /^[a-zA-Z0-9_=+.-]{1,15}$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('isWorldAccessible', () => {
  it('needs both the file and its folder to be open to everyone', (t) => {
    const folder = scratch(t);
    const file = join(folder, 'wg0.conf');
    writeFileSync(file, '');

    for (const [ofFile, ofFolder, expected] of [
      [0o644, 0o755, true],
      [0o644, 0o750, false],
      [0o640, 0o755, false],
      [0o604, 0o701, false], // nobody can read it there
      [0o602, 0o702, true],
    ] as const) {
      chmodSync(file, ofFile);
      chmodSync(folder, ofFolder);
      assert.equal(isWorldAccessible(file), expected, `${ofFile.toString(8)} ${ofFolder.toString(8)}`);
    }
    assert.equal(isWorldAccessible(join(folder, 'gone.conf')), false);
    chmodSync(folder, 0o700);
  });
});

function scratch(t: Pick<TestContext, 'after'>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'wiretype-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

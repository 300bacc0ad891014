import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { readVariable, variableOf } from '../../src/cli/variable.js';

const SECRET = 'correct horse';

describe('a variable of the environment', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-variable-'));
    for (const [name, text] of Object.entries({ secret: `${SECRET}\r\n\n`, lines: ' a\nb \n', empty: '\n' }))
      writeFileSync(join(folder, name), text);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('has the name of its option', () => {
    assert.equal(variableOf('trusted-proxy'), 'WIRETYPE_TRUSTED_PROXY');
  });

  it('holds the value, or the path of a file that does, without the ends of lines behind it', () => {
    const path = join(folder, 'secret');

    assert.deepEqual(readVariable('X', { X: ' a ' }), { text: ' a ', label: 'X' });
    assert.deepEqual(readVariable('X', { X_FILE: path }), { text: SECRET, label: `X_FILE (${path})` });
    assert.equal(readVariable('X', { X_FILE: join(folder, 'lines') })?.text, ' a\nb ');
  });

  it('counts as not set when it is empty, as compose files hand it on', () => {
    assert.equal(readVariable('X', {}), undefined);
    assert.equal(readVariable('X', { X: '', X_FILE: '' }), undefined);
    assert.equal(readVariable('X', { X: 'a', X_FILE: '' })?.text, 'a');
  });

  it('is refused where both are set, by both names and without the value', () => {
    assert.throws(() => readVariable('X', { X: SECRET, X_FILE: join(folder, 'secret') }), {
      code: 'ERR_VARIABLE',
      message: 'X and X_FILE are both set: only one of them can be',
    });
  });

  for (const [name, problem] of [
    ['absent', /there is no such file/],
    ['secret/inside', /a part of the path is no folder/],
    ['.', /this is a folder: name the file in it/],
    ['empty', /the file is empty/],
    ['x'.repeat(300), /it cannot be read: name too long$/],
  ] as const)
    it(`says why its file cannot be used: ${JSON.stringify(name.slice(0, 20))}`, () => {
      const path = `${folder}/${name}`;
      assert.throws(
        () => readVariable('X', { X_FILE: path }),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'ERR_VARIABLE');
          assert.ok(error.message.startsWith(`X_FILE (${path}): `), error.message);
          assert.match(error.message, problem);
          return true;
        },
      );
    });
});

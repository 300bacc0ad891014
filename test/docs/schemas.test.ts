import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { COMMANDS } from '../../src/cli/command-table.js';

describe('schema/', () => {
  const files = readdirSync('schema');

  it('has a file for every --json, which the help names, and no other', async () => {
    const named = new Set<string>();
    for (const { name, load } of COMMANDS) {
      const json = (await load()).manual.options['json'];
      if (json === undefined) continue;
      const schemas = [...json.about.matchAll(/schema\/([a-z-]+\.json)/g)].map(([, file]) => file!);
      assert.ok(schemas.includes(`${name}.json`), name);
      for (const file of schemas) named.add(file);
    }
    assert.deepEqual(files.sort(), [...named].sort());
  });

  it('has a --json for every command that prints state', async () => {
    const printing = [
      'init',
      'add-peer',
      'rotate-peer',
      'disable-peer',
      'enable-peer',
      'rename-peer',
      'remove-peer',
      'expire',
      'list-peers',
      'show',
      'watch',
      'check',
      'explain',
      'reload',
      'reresolve',
      'gateway',
      'mesh',
    ];
    for (const { name, load } of COMMANDS) {
      assert.equal('json' in (await load()).manual.options, printing.includes(name), name);
    }
  });

  for (const file of files) {
    it(`${file} says what it is`, () => {
      const schema = JSON.parse(readFileSync(`schema/${file}`, 'utf8')) as Record<string, unknown>;
      assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
      assert.equal(schema['$id'], file);
      assert.match(String(schema['title']), /utput of wiretype [a-z -]+ --json$/);
    });
  }
});

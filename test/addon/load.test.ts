import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

const PROGRAM = `
  import { loadAddon } from '${new URL('../../src/addon/load.js', import.meta.url).href}';
  try {
    loadAddon();
  } catch ({ name, code, message, cause }) {
    console.log(JSON.stringify({ name, code, message, hasCause: cause instanceof Error }));
  }
`;

it('says plainly that there is no addon, with a code and the reason', () => {
  const empty = mkdtempSync(join(tmpdir(), 'wiretype-no-addon-'));
  const env = { ...process.env, WIRETYPE_PREBUILD: empty };
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], { env, encoding: 'utf8' });
  rmSync(empty, { recursive: true });

  const { message, ...rest } = JSON.parse(output) as Record<string, unknown>;
  assert.deepEqual(rest, { name: 'AddonMissingError', code: 'ERR_ADDON_MISSING', hasCause: true });
  assert.match(String(message), /^The native addon could not be loaded: No native build was found/);
});

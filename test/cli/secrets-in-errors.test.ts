import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../bin/wiretype', import.meta.url));
const SECRET = 'qNvZ1uS3kXbT7eYwP5mHc8Rj2LgFa9DoVx4BnKt6I0E=';
const HALVES = [SECRET.slice(0, 22), SECRET.slice(22)] as const;
const PUBLIC = Buffer.alloc(32, 2).toString('base64');

const FILES: Readonly<Record<string, string>> = {
  'as a name server': `[Interface]\nPrivateKey = ${PUBLIC}\nDNS = 1.1.1.1, ${SECRET}\n`,
  'as an address': `[Interface]\nAddress = ${SECRET}\n`,
  'as an endpoint': `[Peer]\nPublicKey = ${PUBLIC}\nEndpoint = ${SECRET}:51820\n`,
  'behind a mistyped key': `[Interface]\nPrivatKey = ${SECRET}\n`,
  'behind a colon': `[Interface]\nPrivateKey: ${SECRET}\n`,
  'without "="': `[Interface]\nPrivateKey ${SECRET}\n`,
  'in quotes': `[Interface]\nPrivateKey = "${SECRET}"\n`,
  'on a line of its own': `[Interface]\n${SECRET}\n`,
  'broken over two lines': `[Interface]\nPrivateKey = ${HALVES[0]}\n${HALVES[1]}\n`,
  'as a preshared key, broken': `[Peer]\nPublicKey = ${PUBLIC}\nPresharedKey = ${HALVES[0]}\n  ${HALVES[1]}\n`,
  'cut by one letter': `[Interface]\nPrivateKey = ${SECRET.slice(1)}\n`,
  'in the wrong section': `[Interface]\nPresharedKey = ${SECRET}\n`,
  'as a section': `[${SECRET}]\n`,
};

describe('a secret key is not repeated in an error when it stands', { concurrency: 2 }, () => {
  let directory: string;
  let wg: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-secret-'));
    wg = join(directory, 'wg');
    symlinkSync(PROGRAM, wg);
  });

  after(() => rmSync(directory, { recursive: true }));

  for (const [where, text] of Object.entries(FILES)) {
    it(`${where} in a file`, () => {
      const file = join(directory, 'wg7.conf');
      writeFileSync(file, text, { mode: 0o600 });
      for (const words of [['check'], ['check', '--json'], ['setconf', 'wg7'], ['proxy', '--check']])
        conceals(PROGRAM, [...words, file]);
      const isBroken = where.includes('broken');
      if (!isBroken) conceals(wg, ['setconf', 'wg7', file]); // wg reads line by line, and shows the second half
    });
  }

  for (const words of [
    [SECRET],
    [`--${SECRET}`],
    ['set', 'wg7', SECRET],
    ['set', 'wg7', 'private-key', SECRET],
    ['set', 'wg7', 'private-key', SECRET.slice(0, 43)],
    ['set', 'wg7', 'peer', PUBLIC, 'preshared-key', SECRET],
    ['set', 'wg7', 'listen-port', SECRET],
    ['show', SECRET],
    ['show', `--${SECRET}`],
    ['check', SECRET],
    ['genkey', SECRET],
    ['init', SECRET],
    ['proxy', SECRET],
    ['proxy', '--socks', SECRET, 'wg7.conf'],
    ['proxy', '--rule', SECRET, 'wg7.conf'],
    ['proxy', '-L', SECRET, 'wg7.conf'],
    ['proxy', '--user', SECRET, 'wg7.conf'],
  ]) {
    it(`on the command line: ${words.map((word) => (word.length > 42 && word !== PUBLIC ? 'KEY' : word)).join(' ')}`, () =>
      conceals(PROGRAM, words));
  }
});

function conceals(program: string, words: readonly string[]): void {
  const { stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', input: '' });

  assert.notEqual(stdout + stderr, '');
  for (const part of [SECRET.slice(0, 12), SECRET.slice(-12)]) assert.ok(!(stdout + stderr).includes(part), stderr);
}

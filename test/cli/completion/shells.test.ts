import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { SHELLS, whyNot } from './shells.js';

const PROGRAMS = fileURLToPath(new URL('../../../../bin/', import.meta.url));
const KEY = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
/** Stands in for `wiretype`: keeps what it is asked, and gives the prepared answer. */
const STAND_IN = `#!/bin/sh
printf '%s\\n' "$@" >"$(dirname "$0")/asked"
cat "$(dirname "$0")/answer"
`;

for (const shell of SHELLS) {
  describe(`completion in ${shell.name}`, { skip: whyNot(shell), timeout: 300_000 }, () => {
    let bin: string;

    before(() => {
      bin = mkdtempSync(join(tmpdir(), 'wiretype-completion-'));
      writeFileSync(join(bin, 'wiretype'), STAND_IN);
      writeFileSync(join(bin, 'stock'), '#!/bin/sh\n');
      chmodSync(join(bin, 'wiretype'), 0o755);
      chmodSync(join(bin, 'stock'), 0o755);
      writeFileSync(join(bin, 'office.conf'), '');
      writeFileSync(join(bin, 'office.txt'), '');
    });

    beforeEach(() => answer('words\n'));

    after(() => rmSync(bin, { recursive: true }));

    it('completes a command, asking the program itself', () => {
      assert.equal(shell.complete('wiretype expl', PROGRAMS), 'explain');
      assert.equal(shell.complete('wiretyped --fore', PROGRAMS), '--foreground');
      assert.equal(shell.complete('wiretype set wg0 peer AAAA= persis', PROGRAMS), 'persistent-keepalive');
    });

    it('asks with the words of the line, the unfinished one last', () => {
      shell.complete(`wiretype set wg0 peer ${KEY} allowed-ips 10.0.0.0/8,fd00::/8 `, bin);
      assert.deepEqual(asked(), ['set', 'wg0', 'peer', KEY, 'allowed-ips', '10.0.0.0/8,fd00::/8', '']);
      shell.complete('wiretype show wg', bin);
      assert.deepEqual(asked(), ['show', 'wg']);
      shell.complete('wiretype explain wg0 alice\\ sm', bin);
      assert.deepEqual(asked(), ['explain', 'wg0', 'alice sm']);
    });

    it('completes a public key', () => {
      answer(`words\n${KEY}\tlaptop\n`);
      assert.equal(shell.complete('wiretype set wg0 peer xTIB', bin), KEY);
    });

    it('takes a word with a space for one word', () => {
      answer('words\nalice smith\tpeer\nbob\tpeer\n');
      const name = shell.complete('wiretype explain wg0 al', bin);
      assert.equal(name, shell.name === 'fish' ? 'alice smith' : 'alice\\ smith'); // fish escapes it by itself
    });

    it('completes a word with "=" or ":" in it', () => {
      answer('words\nlab=one\tinterface\n');
      assert.equal(shell.complete('wiretype show lab=', bin), shell.name === 'bash' ? 'one' : 'lab=one'); // bash breaks there
      answer('words\nlab:one\tinterface\n');
      const name = shell.complete('wiretype show lab:', bin);
      assert.equal(name?.replace('\\', ''), shell.name === 'bash' ? 'one' : 'lab:one'); // zsh may escape it
    });

    it('completes files with the ending that is asked for, beside words', () => {
      answer('files .conf\nwg0\t/etc/wireguard/wg0.conf\n');
      assert.equal(shell.complete('wiretype up off', bin), 'office.conf');
      assert.equal(shell.complete('wiretype up wg', bin), 'wg0');
      answer('files \n');
      assert.equal(shell.complete('wiretype set wg0 private-key office.t', bin), 'office.txt');
    });

    it('says nothing where nothing can stand', () => {
      assert.equal(shell.complete('wiretype genkey off', bin), undefined);
    });

    it('completes wg where it is a link to wiretype, and leaves a stock wg alone', () => {
      answer('words\nshowconf\t\n');
      symlinkSync('wiretype', join(bin, 'wg'));
      assert.equal(shell.complete('wg showc', bin), 'showconf');
      rmSync(join(bin, 'wg'));
      symlinkSync('stock', join(bin, 'wg'));
      assert.equal(shell.complete('wg showc', bin), undefined);
    });

    function answer(text: string): void {
      writeFileSync(join(bin, 'answer'), text);
    }

    function asked(): string[] {
      const words = readFileSync(join(bin, 'asked'), 'utf8').slice(0, -1).split('\n');
      assert.deepEqual(words.slice(0, 4), ['completion', 'words', '--', 'wiretype']);
      return words.slice(4);
    }
  });
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { Command } from '../../../src/cli/command.js';
import { install, installFiles } from '../../../src/cli/install/install-command.js';
import { unitText } from '../../../src/cli/install/install-plan.js';
import { enabledInterfaces, isExpiryTimed } from '../../../src/cli/install/systemd.js';
import { uninstall } from '../../../src/cli/install/uninstall-command.js';
import { packageVersion } from '../../../src/cli/version.js';
import { WireGuardError } from '../../../src/core/errors.js';

const PACKAGE = resolve('.');

describe('wiretype install and uninstall', () => {
  let folder: string;
  let prefix: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-install-'));
    prefix = join(folder, 'usr');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('installs programs that run without a PATH, by the Node.js and the package that were used', async () => {
    await run(install, '--wg');
    const start = (name: string) => spawnSync(join(prefix, 'bin', name), ['--version'], { env: {}, encoding: 'utf8' });
    assert.equal(start('wiretype').stdout, `wiretype ${packageVersion()}\n`);
    assert.match(start('wg').stdout, /^wireguard-tools v/);
    assert.match(start('wiretyped').stdout, /^wiretyped/);
    const quick = spawnSync(join(prefix, 'bin/wg-quick'), ['help'], { env: {}, encoding: 'utf8' });
    assert.match(quick.stdout + quick.stderr, /wg-quick/);
  });

  it('installs units that call the programs by their paths, manual pages and completions', async () => {
    await run(install);
    const unit = readFileSync(join(prefix, 'lib/systemd/system/wiretype@.service'), 'utf8');
    assert.match(unit, new RegExp(`^ExecStart=${prefix}/bin/wiretype up %i$`, 'm'));
    for (const name of readdirSync('systemd')) {
      const lines = readFileSync(join(prefix, 'lib/systemd/system', name), 'utf8').match(/^Exec.*$/gm) ?? [];
      assert.ok(
        lines.every((line) => !/(?:^|[\s=])(?:\/usr\/bin\/env )?wiretype/.test(line)),
        name,
      );
    }
    for (const path of [
      'share/man/man1/wiretype.1',
      'share/man/man8/wiretyped.8',
      'share/bash-completion/completions/wiretype',
      'share/zsh/site-functions/_wiretype',
      'share/fish/vendor_completions.d/wiretype.fish',
    ]) {
      assert.ok(existsSync(join(prefix, path)), path);
    }
  });

  it('leaves the system as it was after uninstall, to the last folder', async () => {
    mkdirSync(join(prefix, 'share'), { recursive: true });
    const before = snapshot(prefix);
    await run(install);
    await run(install, '--wg');
    await run(install);
    await run(uninstall);
    assert.deepEqual(snapshot(prefix), before);
  });

  it('refuses files of others and changes nothing; --force keeps them, and uninstall puts them back', async () => {
    mkdirSync(join(prefix, 'bin'), { recursive: true });
    writeFileSync(join(prefix, 'bin/wiretype'), 'mine', { mode: 0o700 });
    symlinkSync('/bin/true', join(prefix, 'bin/wiretyped'));
    const before = snapshot(prefix);
    const { code, message } = await run(install);
    assert.equal(code, 'ERR_INSTALL');
    assert.match(message!, /in the way: \S+\/bin\/wiretype, \S+\/bin\/wiretyped; /);
    assert.deepEqual(snapshot(prefix), before);

    await run(install, '--force');
    await run(install);
    assert.notEqual(readFileSync(join(prefix, 'bin/wiretype'), 'utf8'), 'mine');
    await run(uninstall);
    assert.deepEqual(snapshot(prefix), before);
  });

  it('leaves the links of npm, which lead to the package, and does not remove them', async () => {
    mkdirSync(join(prefix, 'bin'), { recursive: true });
    mkdirSync(join(prefix, 'share/man/man1'), { recursive: true });
    symlinkSync(join(PACKAGE, 'man/wiretype.1'), join(prefix, 'share/man/man1/wiretype.1'));
    const before = snapshot(prefix);
    const { out } = await run(install);
    assert.match(out, /^unchanged +\S+\/man1\/wiretype\.1$/m);
    await run(uninstall);
    assert.deepEqual(snapshot(prefix), before);
  });

  it('leaves and names files that were changed since', async () => {
    await run(install);
    const page = join(prefix, 'share/man/man1/wiretype.1');
    writeFileSync(page, 'changed');
    assert.equal((await run(install)).code, 'ERR_INSTALL');
    const { err } = await run(uninstall);
    assert.match(err, /^left +\S+wiretype\.1: it was changed since\n$/);
    assert.equal(readFileSync(page, 'utf8'), 'changed');
    assert.equal((await run(uninstall)).code, 'ERR_INSTALL', 'nothing is installed any more');
  });

  it('is undone when it fails on the way', () => {
    mkdirSync(join(prefix, 'share'), { recursive: true });
    mkdirSync(join(prefix, 'bin'));
    symlinkSync('nowhere/else', join(prefix, 'share/zsh')); // a folder that cannot be made
    const before = snapshot(prefix);
    const place = { packageFolder: PACKAGE, prefix, node: process.execPath, hasWg: true };
    assert.throws(() => installFiles(place, true, false));
    assert.deepEqual(snapshot(prefix), before);
  });

  it('keeps an installation as it was when an update fails on the way', () => {
    const place = { packageFolder: PACKAGE, prefix, node: process.execPath, hasWg: false };
    installFiles(place, false, false);
    rmSync(join(prefix, 'share/zsh'), { recursive: true });
    symlinkSync('nowhere/else', join(prefix, 'share/zsh'));
    const before = snapshot(prefix);
    assert.throws(() => installFiles({ ...place, node: '/other/node' }, true, false));
    assert.deepEqual(snapshot(prefix), before);
  });

  it('makes files that everyone can read, whatever the umask', async () => {
    const old = process.umask(0o077);
    try {
      await run(install);
    } finally {
      process.umask(old);
    }
    assert.equal(lstatSync(join(prefix, 'bin')).mode & 0o777, 0o755);
    assert.equal(lstatSync(join(prefix, 'bin/wiretype')).mode & 0o777, 0o755);
    assert.equal(lstatSync(join(prefix, 'share/man/man1/wiretype.1')).mode & 0o777, 0o644);
  });

  it('prints its steps with --dry-run, and does none of them', async () => {
    const { out } = await run(install, '--dry-run');
    assert.match(out, /^new +\S+\/bin\/wiretype$/m);
    assert.equal(existsSync(prefix), false);
  });

  it('quotes paths for the shell', async () => {
    const place = { packageFolder: PACKAGE, prefix, node: "/opt/no'de $x", hasWg: false };
    installFiles(place, false, false);
    mkdirSync(join(folder, 'opt'), { recursive: true });
    const text = readFileSync(join(prefix, 'bin/wiretype'), 'utf8');
    assert.ok(text.includes(`exec '/opt/no'\\''de $x' '${PACKAGE}/bin/wiretype' "$@"\n`));
  });

  it('refuses a prefix that units cannot have', async () => {
    for (const given of ['relative', '/a b', '/a%i', '/a"']) {
      assert.equal((await start(install, '--prefix', given)).code, 'ERR_USAGE');
    }
  });

  it('says so when the record is damaged', async () => {
    await run(install);
    writeFileSync(join(prefix, 'lib/wiretype/installed.json'), '{"files":[{"path":5}]}');
    assert.equal((await run(uninstall)).code, 'ERR_INSTALL');
  });

  it('rewrites commands of units wherever they stand', () => {
    const text = `ExecStart=/usr/bin/env wiretype up %i
ExecStopPost=-/bin/sh -c '[ "$X" = success ] || exec wiretype down %i'
Description=wiretype up
ExecStart=/usr/bin/env wiretyped -f %i
`;
    assert.equal(
      unitText(text, '/p/bin'),
      `ExecStart=/p/bin/wiretype up %i
ExecStopPost=-/bin/sh -c '[ "$X" = success ] || exec /p/bin/wiretype down %i'
Description=wiretype up
ExecStart=/p/bin/wiretyped -f %i
`,
    );
  });

  it('sees which interfaces and timers are enabled', () => {
    assert.deepEqual([enabledInterfaces(folder), isExpiryTimed(folder)], [[], false]);
    mkdirSync(join(folder, 'multi-user.target.wants'));
    mkdirSync(join(folder, 'timers.target.wants'));
    symlinkSync('/x', join(folder, 'multi-user.target.wants/wiretype@wg0.service'));
    writeFileSync(join(folder, 'timers.target.wants/wiretype-expire.timer'), '');
    assert.deepEqual([enabledInterfaces(folder), isExpiryTimed(folder)], [['wiretype@wg0.service'], true]);
  });

  async function run(command: Command, ...args: string[]) {
    return await start(command, '--prefix', prefix, ...args);
  }
});

async function start(command: Command, ...args: string[]) {
  const said = { out: '', err: '' };
  const io = {
    readInput: async () => '',
    write(text: string) {
      said.out += text;
    },
    writeError(text: string) {
      said.err += text;
    },
    columns: undefined,
    deliver: async () => true,
    interruption: () => new AbortController().signal,
  };
  try {
    await command.run(args, io);
    return { ...said, code: undefined, message: undefined };
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    return { ...said, code: error.code, message: error.message };
  }
}

/** Everything below a folder: names, kinds, modes, contents. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const found = lstatSync(path);
      if (found.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      const mode = (found.mode & 0o7777).toString(8);
      return found.isFile() ? `${name} ${mode} ${readFileSync(path, 'utf8')}` : `${name}/ ${mode}`;
    });
}

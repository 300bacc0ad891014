import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';

import { WireGuardError } from '../../../src/core/errors.js';
import { setDns, unsetDns } from '../../../src/host/net/dns/dns.js';
import {
  type DnsBackend,
  type DnsSettings,
  parseResolvLines,
  resolvLines,
} from '../../../src/host/net/dns/dns-settings.js';
import { ResolvConfFile } from '../../../src/host/net/dns/resolv-conf-file.js';
import { Resolvconf } from '../../../src/host/net/dns/resolvconf.js';
import { Resolvectl } from '../../../src/host/net/dns/resolvectl.js';
import { FakeCommands } from './fake-commands.js';

const SETTINGS: DnsSettings = { servers: ['10.0.0.1', 'fd00::1'], searchDomains: ['corp.example', 'example'] };

describe('resolv.conf without a program for it', () => {
  it('tells the servers of the tunnel that came last, and is restored by the one that goes last', async (t) => {
    const name = fc.constantFrom('wg0', 'wg1', 'a.b=c+d');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, fc.boolean()), { maxLength: 12 }), async (turns) => {
        const file = scratch(t, '# mine\nnameserver 9.9.9.9\n');
        const before = statSync(file);
        const backend = new ResolvConfFile(new FakeCommands(), file);
        const up: string[] = [];

        for (const [tunnel, isUp] of turns) {
          if (up.includes(tunnel)) up.splice(up.indexOf(tunnel), 1);
          if (isUp) up.unshift(tunnel);
          await (isUp ? backend.set(tunnel, serverOf(tunnel)) : backend.unset(tunnel));
          assert.deepEqual(serversIn(file), up.length === 0 ? ['9.9.9.9'] : [...serverOf(up[0]!).servers]);
        }
        for (const tunnel of up) await backend.unset(tunnel);

        assert.equal(readFileSync(file, 'utf8'), '# mine\nnameserver 9.9.9.9\n');
        assert.deepEqual(
          [statSync(file).ino, statSync(file).mtimeMs],
          [before.ino, before.mtimeMs],
          'the very same file',
        );
        assert.equal(readdirSync(join(file, '..')).length, 1, 'and nothing beside it');
      }),
      { numRuns: 60 },
    );
  });

  it('contains the place of the old file, for whoever finds the new one after a crash', async (t) => {
    const file = scratch(t, 'nameserver 9.9.9.9\n');

    await new ResolvConfFile(new FakeCommands(), file).set('wg0', SETTINGS);

    const text = readFileSync(file, 'utf8');
    assert.match(text, new RegExp(`The file that was here is ${file}\\.before-wiretype`));
    assert.equal(readFileSync(`${file}.before-wiretype`, 'utf8'), 'nameserver 9.9.9.9\n');
  });

  it('does not touch the file again once another program has written it', async (t) => {
    const file = scratch(t, 'nameserver 9.9.9.9\n');
    const commands = new FakeCommands();
    const backend = new ResolvConfFile(commands, file);
    await backend.set('wg0', SETTINGS);
    writeFileSync(file, 'nameserver 8.8.8.8\n');

    await backend.unset('wg0');

    assert.equal(readFileSync(file, 'utf8'), 'nameserver 8.8.8.8\n');
    assert.ok(!existsSync(`${file}.before-wiretype`));
    assert.match(commands.warnings[0]!, /changed by another program/);
  });

  it('is an error of its own kind where the folder does not exist', async (t) => {
    const file = join(scratch(t, ''), 'no', 'resolv.conf');
    await assert.rejects(new ResolvConfFile(new FakeCommands(), file).set('wg0', SETTINGS), { code: 'ERR_DNS' });
  });
});

describe('resolvectl', () => {
  it('counts only where programs query systemd-resolved', (t) => {
    const withProgram = new FakeCommands(undefined, ['resolvectl']);
    for (const [files, isInUse] of [
      [{ 'resolv.conf': 'nameserver 127.0.0.53\n' }, true],
      [{ 'resolv.conf': 'nameserver 9.9.9.9\n' }, false],
      [
        { 'resolv.conf': 'nameserver 9.9.9.9\n', 'nsswitch.conf': 'hosts: files resolve [!UNAVAIL=return] dns\n' },
        true,
      ],
      [{ 'nsswitch.conf': '# hosts: resolve\nhosts: files dns\n' }, false],
      [{}, false],
    ] as const) {
      const etc = mkdtempSync(join(tmpdir(), 'wiretype-'));
      t.after(() => rmSync(etc, { recursive: true }));
      for (const [name, text] of Object.entries(files)) writeFileSync(join(etc, name), text);

      assert.equal(new Resolvectl(withProgram, etc).isInUse(), isInUse, JSON.stringify(files));
      assert.ok(!new Resolvectl(new FakeCommands(), etc).isInUse());
    }
  });
});

describe('resolvconf', () => {
  it('gets the servers before the search domains, all exclusively', async (t) => {
    const commands = new FakeCommands();
    const etc = join(scratch(t, ''), '..');
    const backend = new Resolvconf(commands, '/nowhere', etc);

    await backend.set('wg0', SETTINGS);
    await backend.unset('wg0');

    assert.deepEqual(commands.said, ['resolvconf -a wg0 -m 0 -x', 'resolvconf -d wg0 -f']);
    assert.equal(commands.inputs[0], 'nameserver 10.0.0.1\nnameserver fd00::1\nsearch corp.example example\n');
  });

  it('knows the interface by the prefix that Debian has for tunnels, unless it is a link to another program', async (t) => {
    const etc = join(scratch(t, ''), '..');
    mkdirSync(join(etc, 'resolvconf'));
    writeFileSync(join(etc, 'resolvconf', 'interface-order'), 'lo.inet*\ntun*\n');
    const program = join(etc, 'resolvconf', 'resolvconf');
    const commands = new FakeCommands();
    const backend = new Resolvconf(commands, join(etc, 'resolvconf'), etc);

    writeFileSync(program, '', { mode: 0o755 });
    await backend.unset('wg0');
    rmSync(program);
    symlinkSync('/bin/true', program);
    await backend.unset('wg0');

    assert.deepEqual(commands.said, ['resolvconf -d tun.wg0 -f', 'resolvconf -d wg0 -f']);
  });
});

describe('setDns', () => {
  it('takes the first way that is in use and works, and warns of those that do not', async () => {
    const commands = new FakeCommands();
    const said: string[] = [];
    const backends = [
      backendOf('resolvectl', said, { isInUse: false }),
      backendOf('resolvconf', said, { fails: true }),
      backendOf('resolv.conf', said),
    ];

    assert.equal(await setDns(commands, backends, 'wg0', SETTINGS, (name) => said.push(`try ${name}`)), 'resolv.conf');
    assert.deepEqual(said, ['try resolvconf', 'resolvconf', 'try resolv.conf', 'resolv.conf']);
    assert.deepEqual(commands.warnings, ['resolvconf failed']);
  });

  it('warns, and no more, where nothing works', async () => {
    const commands = new FakeCommands();

    assert.equal(
      await setDns(commands, [backendOf('resolvconf', [], { fails: true })], 'wg0', SETTINGS, () => {}),
      undefined,
    );
    await unsetDns(commands, [backendOf('resolvconf', [], { fails: true })], 'wg0', 'resolvconf');

    assert.equal(commands.warnings.length, 3);
    assert.match(commands.warnings[1]!, /10\.0\.0\.1, fd00::1.* were not set/);
  });
});

describe('lines of resolv.conf', () => {
  it('are read back as they were written', () => {
    assert.deepEqual(parseResolvLines(resolvLines(SETTINGS)), SETTINGS);
    assert.deepEqual(parseResolvLines([]), { servers: [], searchDomains: [] });
  });
});

function scratch(t: Pick<TestContext, 'after'>, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, text);
  return file;
}

function serverOf(tunnel: string): DnsSettings {
  return { servers: [`10.0.0.${tunnel.length + tunnel.charCodeAt(2)}`], searchDomains: [] };
}

function serversIn(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^nameserver (\S+)$/gm)].map(([, server]) => server!);
}

function backendOf(
  name: DnsBackend['name'],
  said: string[],
  { isInUse = true, fails = false }: { isInUse?: boolean; fails?: boolean } = {},
): DnsBackend {
  const act = async (): Promise<void> => {
    said.push(name);
    if (fails) throw new WireGuardError('ERR_COMMAND_FAILED', `${name} failed`);
  };
  return { name, isInUse: () => isInUse, set: act, unset: act };
}

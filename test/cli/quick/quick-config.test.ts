import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { type QuickConfig, readQuickConfig } from '../../../src/cli/quick/quick-config.js';
import { WireGuardError } from '../../../src/core/errors.js';
import { programStatus } from '../../../src/host/net/command-error.js';
import { formatPrefix } from '../../../src/host/net/prefix.js';

const KEY = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const ATTACKS = [
  '$(touch x)',
  '`x`',
  '; x',
  "' x",
  '" x',
  '| x',
  '&& x',
  '-x',
  '--help',
  '\u0000',
  '\u001b[2J',
  '%s',
  '*',
  '~',
  '\\',
];

describe('readQuickConfig', () => {
  it('reads every key of wg-quick, however its letters are written', async (t) => {
    const config = await read(
      t,
      [
        '[interface]',
        'ADDRESS = 10.0.0.1/24, fd00::1',
        'Address=10.1.0.1/16',
        'dns = 1.1.1.1, corp.example, fd00::53',
        'MTU = 1400',
        'Table = 1234',
        'PreUp = a # b',
        'PostUp = c',
        'PostUp = d',
        'PreDown = e',
        'PostDown = f',
        'SaveConfig = true',
      ].join('\n'),
    );

    assert.deepEqual(config.addresses.map(formatPrefix), ['10.0.0.1/24', 'fd00::1/128', '10.1.0.1/16']);
    assert.deepEqual(config.dns, { servers: ['1.1.1.1', 'fd00::53'], searchDomains: ['corp.example'] });
    assert.deepEqual([config.mtu, config.table, config.saveConfig], [1400, '1234', true]);
    assert.deepEqual(
      config.hooks.map(({ name, command, line }) => [name, command, line]),
      [
        ['PreUp', 'a # b', 7],
        ['PostUp', 'c', 8],
        ['PostUp', 'd', 9],
        ['PreDown', 'e', 10],
        ['PostDown', 'f', 11],
      ],
    );
  });

  it('separates addresses and servers by white space as by commas', async (t) => {
    const config = await read(
      t,
      '[Interface]\nAddress = 10.0.0.1/24 fd00::1/64 ,10.1.0.1/16\nDNS = 1.1.1.1 corp.example\n',
    );

    assert.deepEqual(config.addresses.map(formatPrefix), ['10.0.0.1/24', 'fd00::1/64', '10.1.0.1/16']);
    assert.deepEqual(config.dns, { servers: ['1.1.1.1'], searchDomains: ['corp.example'] });
  });

  it('takes "auto" for the table that is not said', async (t) => {
    for (const [text, table] of [
      ['', undefined],
      ['Table = auto', undefined],
      ['Table = Auto', undefined],
      ['Table = off', 'off'],
      ['Table = vpn', 'vpn'],
    ] as const) {
      assert.equal((await read(t, `[Interface]\n${text}\n`)).table, table);
    }
  });

  it('lets nothing through to other programs that is not plain', async (t) => {
    for (const key of ['Address', 'DNS', 'MTU', 'Table', 'SaveConfig']) {
      for (const attack of ATTACKS) {
        for (const value of [attack, `1.2.3.4${attack}`, `1.2.3.4, ${attack}`, `a${attack}`, `fe80::1%${attack}`]) {
          await read(t, `[Interface]\n${key} = ${value}\n`).then(assertPlain, assertRefused);
        }
      }
    }
  });

  it('drops a NUL in a hook, which no program can be given', async (t) => {
    const { hooks } = await read(t, '[Interface]\nPostUp = echo \0x\n');
    assert.deepEqual(hooks, [{ name: 'PostUp', command: 'echo x', line: 2 }]);
  });

  it('passes on to the resolver what the resolver may understand', async (t) => {
    const values = '10.0.0.53:5353, [fd00::53], 10.0.0, ~corp.lan, ~., *.lan, büro.lan, 1.1.1.1/32';
    const { dns } = await read(t, `[Interface]\nDNS = ${values}\n`);
    assert.deepEqual(dns.servers, ['10.0.0.53:5353', '[fd00::53]', '10.0.0']);
    assert.deepEqual(dns.searchDomains, ['~corp.lan', '~.', '*.lan', 'büro.lan', '1.1.1.1/32']);
  });

  it('refuses a key in the place of a domain, and does not show it', async (t) => {
    await assert.rejects(read(t, `[Interface]\nDNS = 1.1.1.1, ${KEY}\n`), (error: Error) => {
      assert.match(error.message, /\(hidden\)/);
      assert.ok(!error.message.includes(KEY.slice(0, 12)));
      return true;
    });
  });

  it('reads the values of wg as wg does', async (t) => {
    const endpoints = [
      ['2001:db8::9:51820', '2001:db8::9', 51_820],
      ['fe80::1%up0:51820', 'fe80::1%up0', 51_820],
      ['[192.0.2.5]:9999', '192.0.2.5', 9_999],
      ['[vpn.example]:51820', 'vpn.example', 51_820],
      ['192.0.2.5:051820', '192.0.2.5', 51_820],
      ['192.0.2.5:+51820', '192.0.2.5', 51_820],
      ['192.0.2.5:domain', '192.0.2.5', 53],
      ['192.0.2.5:65537', '192.0.2.5', 1],
      ['0.0.0.0:0', '0.0.0.0', 0],
      ['[::]:0', '::', 0],
    ] as const;
    for (const [text, host, port] of endpoints) {
      const { document } = await read(
        t,
        `[Interface]\nListenPort = 99999\n[Peer]\nPublicKey = ${KEY}\nEndpoint = ${text}\n`,
      );
      assert.deepEqual(document.peers[0]!.endpoint, { host, port }, text);
      assert.equal(document.interfaceSection!.listenPort, 34_463);
    }
  });

  it('ends as ip does for an MTU or a table that ip would refuse', async (t) => {
    const statusOf = async (line: string) =>
      await read(t, `[Interface]\n${line}\n`).then(
        () => 0,
        (error: unknown) => programStatus(error),
      );
    assert.deepEqual(await Promise.all(['MTU = abc', 'Table = a b', 'Table = -1', 'Address = x'].map(statusOf)), [
      255,
      255,
      255,
      undefined,
    ]);
  });

  it('never fails but with an error of ours, nor reads more than is there when it is lenient', async (t) => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '[Interface]',
        '[Peer]',
        'Address = 10.0.0.1',
        'DNS = x',
        'MTU = 9',
        'Table = off',
        'PostUp = x',
        '#',
      ),
    );
    const folder = scratch(t);
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.boolean(), async (lines, isLenient) => {
        const file = join(folder, 'wg0.conf');
        writeFileSync(file, lines.join('\n'), { mode: 0o600 });
        await readQuickConfig({ interfaceName: 'wg0', file }, () => {}, { isLenient }).then(assertPlain, assertRefused);
      }),
      { numRuns: 200 },
    );
  });

  it('is lenient for what is up and has to come down', async (t) => {
    const text = '[Interface]\nMTU = many\nDNS = 1.2.3.4.5\nAddress = x\nSaveConfig = perhaps\nPostDown = tidy up\n';
    await assert.rejects(read(t, text), { code: 'ERR_CONFIG' });

    const config = await read(t, text, true);

    assert.deepEqual(
      [config.mtu, config.dns.servers, config.addresses, config.saveConfig],
      [undefined, ['1.2.3.4.5'], [], false],
    );
    assert.equal(config.hooks[0]?.command, 'tidy up');
  });

  it('warns of a file that everyone can read', async (t) => {
    const folder = scratch(t, 0o755);
    const file = join(folder, 'wg0.conf');
    writeFileSync(file, '[Interface]\n', { mode: 0o644 });
    const warnings: string[] = [];

    await readQuickConfig({ interfaceName: 'wg0', file }, (text) => warnings.push(text));

    assert.deepEqual(warnings, [`Warning: \`${file}' is world accessible\n`]);
  });
});

function assertPlain({ dns, table, mtu }: QuickConfig): void {
  for (const word of [...dns.servers, ...dns.searchDomains, table ?? '', String(mtu ?? '')]) {
    assert.match(word, /^(?!-)[^\p{Cc}\p{Cs}\s"'`$\\<>|&;(){}!]*$/u);
  }
}

function assertRefused(error: unknown): void {
  assert.ok(error instanceof WireGuardError, String(error));
}

async function read(t: Pick<TestContext, 'after'>, text: string, isLenient = false): Promise<QuickConfig> {
  const file = join(scratch(t), 'wg0.conf');
  writeFileSync(file, text, { mode: 0o600 });
  return await readQuickConfig({ interfaceName: 'wg0', file }, () => {}, { isLenient });
}

function scratch(t: Pick<TestContext, 'after'>, mode = 0o700): string {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, mode);
  return folder;
}

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { parseConfig } from '../../../src/control/config/index.js';
import { formatKey } from '../../../src/control/key-text.js';
import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import { ServerLab } from '../../server/server-lab.js';

const COMMAND = fileURLToPath(new URL('../../../../bin/wiretype', import.meta.url));
const TIME_LIMIT = { timeout: 60_000 };

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function wiretype(words: readonly string[], env: Record<string, string> = {}, input = ''): Promise<Outcome> {
  const child = spawn(process.execPath, [COMMAND, 'gateway', ...words], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}).end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, stdout, stderr };
}

/** Runs a test with a gateway that answers at its socket, and with the words that lead to it. */
async function withGateway(
  test: (ask: (...words: string[]) => Promise<Outcome>, folder: string) => Promise<void>,
): Promise<void> {
  await using lab = await ServerLab.open();
  await lab.server.listenLocal(lab.socketPath);
  const folder = join(lab.socketPath, '..');
  assert.equal(statSync(lab.socketPath).mode & 0o777, 0o600);
  await test((...words) => wiretype([...words, '--state', folder]), folder);
}

describe('wiretype gateway', () => {
  it('shows itself once, and leaves nothing behind', TIME_LIMIT, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-once-'));
    try {
      const port = String(20_000 + Math.floor(Math.random() * 30_000));
      const { status, stdout, stderr } = await wiretype(['--once', '--port', port, '--endpoint', '127.0.0.1'], {
        TMPDIR: folder,
      });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /it resolved gateway\.internal as 10\./);
      assert.match(stdout, /it opened the page inside of the tunnel, which knows it as "trial/);
      assert.match(stdout, /The gateway has it as online/);
      assert.deepEqual(readdirSync(folder), []);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('adds a device with its complete file, and lists, bounds, blocks and removes it', TIME_LIMIT, () =>
    withGateway(async (ask) => {
      const added = await ask('add', 'laptop', '--tag', 'work', '--expires', '30');
      const document = parseConfig(added.stdout, 'laptop.conf');
      document.assertValid();
      assert.equal((await ask('limit', 'laptop', '--down', '20', '--quota', '5')).status, 0);
      const [device] = JSON.parse((await ask('list', '--json')).stdout);
      assert.deepEqual(
        [device.name, device.tags, device.limits],
        ['laptop', ['work'], { downBitsPerSecond: 20e6, quotaBytes: 5e9 }],
      );
      assert.match((await ask('block', 'laptop')).stderr, /Blocked laptop/);
      assert.match((await ask('list')).stdout, /laptop +10\.77\.0\.2 +blocked/);
      assert.match((await ask('allow', 'laptop', '192.168.1.10:22')).stderr, /Allowed/);
      const again = await ask('qr', 'laptop');
      assert.notEqual(again.stdout, added.stdout);
      assert.match((await ask('remove', 'laptop')).stderr, /seven days/);
      assert.match((await ask('list')).stdout, /no device yet/);
    }),
  );

  it('makes tokens, backups and links for lost passwords', TIME_LIMIT, () =>
    withGateway(async (ask, folder) => {
      assert.match((await ask('token', 'ci', '--scope', 'devices:read')).stdout, /^wt_\w+\n$/);
      const path = join(folder, 'copy.db');
      assert.equal((await ask('backup', path)).status, 0);
      assert.equal(readFileSync(path).subarray(0, 15).toString(), 'SQLite format 3');
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.match((await ask('passwd', 'nobody')).stderr, /no person named nobody/);
    }),
  );

  it('makes the gateway what a file declares, and writes such a file', TIME_LIMIT, () =>
    withGateway(async (ask, folder) => {
      const key = formatKey(generateKeyPair().publicKey);
      const path = join(folder, 'gateway.yaml');
      const yaml = (limits: string): string => `settings:
  mtu: 1400
devices:
  # The one in the hall.
  - name: tablet
    publicKey: ${key}
    expires: 2099-01-31
    limits: { ${limits} }
rules:
  - action: allow
    from: { kind: device, device: tablet }
    to: { kind: prefix, prefix: 192.168.1.0/24 }
`;
      writeFileSync(path, yaml('quotaBytes: many'));
      assert.match((await ask('apply', path)).stderr, /gateway\.yaml:8: devices\.0\.limits\.quotaBytes: /);
      writeFileSync(path, 'devices: [');
      assert.match((await ask('apply', path)).stderr, /gateway\.yaml:1: /);
      writeFileSync(path, yaml('quotaBytes: 5000').replace('2099-01-31', 'soon'));
      assert.match((await ask('apply', path)).stderr, /gateway\.yaml:7: devices\.0\.expires: a time/);
      assert.match((await ask('list')).stdout, /no device yet/);

      writeFileSync(path, yaml('quotaBytes: 5000'));
      const tried = await ask('apply', path, '--dry-run');
      assert.match(tried.stdout, /^~ settings\/mtu: 1420 -> 1400\n(?:.*\n)*\+ devices\/tablet\/name: "tablet"\n/);
      assert.match(tried.stderr, /nothing was changed/);
      assert.match((await ask('list')).stdout, /no device yet/);
      assert.match((await ask('apply', path)).stderr, /^Made \d+ changes\.\n$/);
      assert.deepEqual(await ask('apply', path), { status: 0, stdout: '', stderr: 'Nothing differs.\n' });
      const [device] = JSON.parse((await ask('list', '--json')).stdout);
      assert.deepEqual([device.expiresAtUnixMs, device.limits], [Date.UTC(2099, 0, 31), { quotaBytes: 5000 }]);

      const copy = join(folder, 'copy.yaml');
      assert.equal((await ask('export', '--output', copy)).status, 0);
      assert.match(readFileSync(copy, 'utf8'), /expires: 2099-01-31T00:00:00\.000Z/);
      assert.equal((await ask('apply', copy)).stderr, 'Nothing differs.\n');
    }),
  );

  it('begins again with a backup that the page brings, and keeps the state until now aside', TIME_LIMIT, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-restore-'));
    const port = String(20_000 + Math.floor(Math.random() * 30_000));
    const words = ['gateway', 'run', '--state', folder, '--port', port, '--endpoint', '127.0.0.1', '--page', '0'];
    const child = spawn(process.execPath, [COMMAND, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    const says = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(said)) await delay(20);
    };
    try {
      await says(/Scan this/);
      const ask = (...more: string[]) => wiretype([...more, '--state', folder]);
      const { data } = JSON.parse((await ask('call', 'post', '/backup/download', '{}')).stdout);
      assert.equal((await ask('remove', 'phone')).status, 0);
      assert.match((await ask('call', 'POST', '/backup/restore', '{"data":"AAAA"}')).stderr, /the backup is/);
      const restore = ['call', 'POST', '/backup/restore', '-', '--state', folder];
      assert.equal((await wiretype(restore, {}, JSON.stringify({ data }))).status, 0);
      await says(/Restored a backup\. The state until now is kept as .*\n(?:.*\n)*The page is at/);
      assert.match((await ask('list')).stdout, /^phone /m);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith('upload')),
        [],
      );
    } finally {
      child.kill('SIGINT');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('says what is wrong, in one sentence and with advice', TIME_LIMIT, async () => {
    const cases: [string[], RegExp][] = [
      [['lst'], /no action lst; did you mean list\?/],
      [['add'], /add: a word is missing/],
      [['list', '--state', '/nonexistent'], /no gateway answers at .*\n.*Start it/],
      [['--allow', 'x'], /--allow x: an address or range is expected/],
      [['--page', 'x'], /--page x: a port is expected/],
      [['--tls-cert', 'x'], /belong together/],
      [['import'], /the file is missing/],
      [['call', 'GET', 'devices'], /is no path/],
      [['--oidc-issuer', 'https://id.example'], /belong together/],
    ];
    for (const [words, pattern] of cases) {
      const { status, stderr } = await wiretype(words);
      assert.notEqual(status, 0);
      assert.match(stderr, pattern);
    }
  });
});

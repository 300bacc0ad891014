import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../../bin/wiretype', import.meta.url));
const CONFIG = `[Interface]
PrivateKey = ${Buffer.alloc(32, 1).toString('base64')}
Address = 10.0.0.2
[Peer]
PublicKey = ${Buffer.alloc(32, 2).toString('base64')}
AllowedIPs = 10.0.0.0/24
`;
/** A process that takes itself for one on another system, which has no /proc and no addon. */
const OTHER_SYSTEM = `Object.defineProperty(process, 'platform', { value: 'darwin' });\n`;

describe('the start of wiretype proxy', { concurrency: false }, () => {
  let folder: string;
  let config: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-start-'));
    config = join(folder, 'wg0.conf');
    writeFileSync(config, CONFIG, { mode: 0o600 });
    writeFileSync(join(folder, 'other-system.cjs'), OTHER_SYSTEM);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('loads nothing of the daemon, of wg-quick and of the addon', { timeout: 60_000 }, async () => {
    const loaded = await loadedFiles();

    const foreign = loaded.filter((url) =>
      /src\/cli\/(?:daemon|quick|setup\/(?!setup-commands))|linux|netlink/.test(url),
    );
    assert.deepEqual(foreign, []);
    assert.ok(loaded.some((url) => url.includes('src/proxy/server/proxy-server.js')));
  });

  it('loads no tunnel and no TCP for --check', { timeout: 60_000 }, () => {
    const env = { ...process.env, NODE_V8_COVERAGE: join(folder, 'check') };
    const { stdout } = spawnSync(PROGRAM, ['proxy', '--check', config], { env, encoding: 'utf8' });

    assert.equal(stdout, `${config}: no errors\n`);
    assert.deepEqual(
      coveredFiles('check').filter((url) => /src\/(?:host|netstack|crypto|addon)\//.test(url)),
      [],
    );
  });

  /** Runs a proxy until it listens, and returns the files that it loaded. */
  async function loadedFiles(): Promise<string[]> {
    const env = {
      ...process.env,
      NODE_V8_COVERAGE: join(folder, 'run'),
      NODE_OPTIONS: `--require=${join(folder, 'other-system.cjs')}`,
      WIRETYPE_NO_ADDON: '1',
    };
    const proxy = spawn(PROGRAM, ['proxy', '--listen', '0', config], { env });
    const ended = once(proxy, 'exit');
    for await (const chunk of proxy.stderr) if (/ on 127\.0\.0\.1:\d+/.test(String(chunk))) proxy.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    return coveredFiles('run');
  }

  function coveredFiles(name: string): string[] {
    return readdirSync(join(folder, name)).flatMap((file) => {
      const { result } = JSON.parse(readFileSync(join(folder, name, file), 'utf8')) as { result: { url: string }[] };
      return result.map(({ url }) => url).filter((url) => url.includes('/dist/src/'));
    });
  }
});

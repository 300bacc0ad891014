/**
 * Files by chance: stock `wg-quick` and ours configure the same host, and `reload` has the same result as `up`.
 *
 * Environment: WIRETYPE_SEED, a number that other files come from.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { strip } from '../../src/cli/quick/strip.js';
import { encodeBytes } from '../../src/control/byte-text.js';
import { readConfigFile } from '../../src/control/config/index.js';
import { subject } from '../lab/implementation.js';
import type { Machine } from '../lab/machine.js';
import { BACKEND_ENVIRONMENT, hostState, openClient } from '../lab/quick-client.js';
import { randomConfig, randomLines, SeededRandom } from '../lab/random-config.js';

const SEED = Number(process.env['WIRETYPE_SEED'] ?? 1);
const FILE = '/etc/wireguard/wg0.conf';
const UP = ['up', '--implementation', subject.command, 'wg0'];
const STRIPPED_FILES = 150;
/** The number of pairs to compare; files that neither program accepts do not count. */
const PAIRS = 4;
const FILES = 4;
const TRIES = 40;
/** The routes that the stock program does not add: a diverted table refuses what no route of it takes. */
const REFUSAL = /^unreachable default .*metric 4294967295.*\n/gm;

describe(`files by chance, seed ${SEED}`, { concurrency: 2 }, () => {
  it('are stripped as by wg-quick, byte for byte', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-strip-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'wg0.conf');
    for (let i = 0; i < STRIPPED_FILES; i++) {
      const bytes = randomLines(new SeededRandom(SEED * 1_000 + i));
      writeFileSync(file, bytes, { mode: 0o600 });

      const stock = spawnSync('wg-quick', ['strip', file]);
      const ours = encodeBytes(strip(await readConfigFile(file)));

      assert.equal(stock.status, 0, stock.stderr.toString());
      assert.equal(ours.toString('latin1'), stock.stdout.toString('latin1'), JSON.stringify(bytes.toString('latin1')));
    }
  });

  it('make the same host with wg-quick and with ours', { timeout: 480_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.install('resolvconf', 'cat > /dev/null');
    for (let i = 0, compared = 0; compared < FILES; i++) {
      assert.ok(i < TRIES);
      const text = randomConfig(new SeededRandom(SEED * 2_000 + i));
      await client.write(FILE, text);

      const up = await client.attempt('wg-quick', ['up', 'wg0'], { env: BACKEND_ENVIRONMENT });
      const stock = up.status === 0 ? await snapshot(client) : undefined;
      if (up.status === 0) await client.run('wg-quick', ['down', 'wg0']);
      await client.run('bash', ['-c', 'echo 0 > /proc/sys/net/ipv4/conf/all/src_valid_mark']);
      const before = await hostState(client);
      const ours = await client.wiretype(...UP);

      assert.equal(ours.status === 0, stock !== undefined, `${text}\n${up.stderr}\n${ours.stderr}`);
      if (stock === undefined) continue;
      compared++;
      assert.equal((await snapshot(client)).replace(REFUSAL, ''), stock, text);
      assert.equal((await client.wiretype('down', 'wg0')).status, 0);
      assert.equal(await hostState(client), before, text);
    }
  });

  it('make the same host by reload as by up, and nothing changes the second time', { timeout: 480_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.install('resolvconf', 'cat > /dev/null');
    const before = await hostState(client);
    for (let i = 0, compared = 0; compared < PAIRS; i++) {
      assert.ok(i < TRIES);
      const random = new SeededRandom(SEED * 3_000 + i);
      const [first, second] = [randomConfig(random), randomConfig(random)];
      const context = `${first}\n\n${second}`;
      await client.write(FILE, keepEndpoints(first, second));
      const wanted = await upAndSnapshot(client);
      if (wanted === undefined) continue;
      assert.equal((await client.wiretype('down', 'wg0')).status, 0);

      await client.write(FILE, first);
      if ((await client.wiretype(...UP)).status !== 0) continue;
      compared++;
      await client.write(FILE, keepEndpoints(first, second));
      const reload = await client.wiretype('reload', 'wg0');

      assert.equal(reload.status, 0, `${context}\n${reload.stderr}`);
      assert.equal(await snapshot(client), wanted, `${context}\n${reload.stdout}`);
      assert.match((await client.wiretype('reload', 'wg0')).stdout, /no changes/, context);
      assert.equal((await client.wiretype('down', 'wg0')).status, 0);
      assert.equal(await hostState(client), before, context);
    }
  });
});

async function upAndSnapshot(client: Machine): Promise<string | undefined> {
  const { status } = await client.wiretype(...UP);
  return status === 0 ? await snapshot(client) : undefined;
}

/** An endpoint that a file no longer has stays on purpose: the second file gets the endpoints of the first. */
function keepEndpoints(first: string, second: string): string {
  const endpoints = new Map(
    [...first.matchAll(/^PublicKey = (.*)\n.*\n(Endpoint = .*)$/gm)].map(([, key, line]) => [key, line]),
  );
  return second.replace(/^(PublicKey = (.*)\n.*\n)(?!Endpoint)/gm, (text, _lines, key: string) => {
    const endpoint = endpoints.get(key);
    return endpoint === undefined ? text : `${text}${endpoint}\n`;
  });
}

/** The host and the device, in an order that does not depend on how they came to be. */
async function snapshot(client: Machine): Promise<string> {
  const state = await hostState(client);
  const [rest = '', tail = ''] = state.split('nftables\n');
  const [ruleset = '', files = ''] = tail.split('resolv.conf\n');
  const tables = ruleset.split(/^(?=table )/m).sort();
  const device = await client.run('bash', ['-c', 'wg show wg0 dump | cut -f 1-4,8']);
  return [rest.replace(/^\d+:\t/gm, ''), ...tables, files, ...device.split('\n').sort()].join('\n');
}

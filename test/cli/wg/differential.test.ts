import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';

import { arbitraryCase, FOLDER, type WgCase } from './arbitrary-case.js';
import { FakeDaemon } from './fake-daemon.js';
import { hasStockWg, type Outcome, runOurs, runStock, withoutTick } from './run-wg.js';

/** More cases, and others: WG_DIFFERENTIAL_CASES=5000 WG_DIFFERENTIAL_SEED=7. */
const CASES = Number(process.env['WG_DIFFERENTIAL_CASES'] ?? 120);
const SEED = Number(process.env['WG_DIFFERENTIAL_SEED'] ?? 1);

const PROGRAM = fileURLToPath(new URL('../../../../bin/wiretype', import.meta.url));
const KEY = Buffer.alloc(32, 7).toString('base64');
const KEY_FILES: Readonly<Record<string, string>> = {
  good: KEY,
  line: `${KEY}\n`,
  windows: `${KEY}\r\n`,
  empty: '',
  short: KEY.slice(0, 20),
  long: KEY + KEY,
  trailing: `${KEY} x`,
};

const UNLESS_STOCK = { skip: !hasStockWg() && 'needs root and wireguard-tools', timeout: 240_000 };

describe('wg beside the stock wg', UNLESS_STOCK, () => {
  let directory: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-differential-'));
    for (const [name, text] of Object.entries(KEY_FILES)) writeFileSync(join(directory, name), text);
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  it(`writes, sends and returns the same in ${CASES} made-up calls`, async () => {
    const property = fc.asyncProperty(arbitraryCase(Math.floor(Date.now() / 1_000)), same);
    await fc.assert(property, { numRuns: CASES, seed: SEED, includeErrorInReport: true });
  });

  async function same(made: WgCase): Promise<void> {
    Object.assign(daemon.answers, { get: made.get, set: made.set });
    writeFileSync(join(directory, 'conf'), made.conf);
    const argv = made.argv.map((word) => word.replace(FOLDER, `${directory}/`));
    const { env } = made;

    const { outcome: stock, nowMs } = await withoutTick(() => {
      daemon.takeRequests(); // of a run that is repeated
      return runStock(directory, argv, { env });
    });
    const sentByStock = daemon.takeRequests();
    const ours = await runOurs(directory, argv, { env, nowMs });
    const sentByOurs = daemon.takeRequests();

    assert.deepEqual({ ...ours, sent: sentByOurs }, { ...asNow(withoutSecrets(stock, ours)), sent: sentByStock });
  }
});

/** The usage of `set` has grown since Debian's release. */
function asNow(stock: Outcome): Outcome {
  const usage = '[allowed-ips <ip1>/<cidr1>[,<ip2>/<cidr2>]...]';
  return { ...stock, err: stock.err.replace(usage, '[allowed-ips [+|-]<ip1>/<cidr1>[,[+|-]<ip2>/<cidr2>]...]') };
}

/** Secrets are hidden in errors of ours only (docs/differences.md). */
function withoutSecrets(stock: Outcome, ours: Outcome): Outcome {
  const [head = '', ...rest] = ours.err.split('(hidden)');
  if (rest.length === 0) return stock;
  const isSame = stock.err.startsWith(head) && stock.err.endsWith(rest.at(-1)!);
  return isSame ? { ...stock, err: ours.err } : stock;
}

describe('wg and bytes that are no text, beside the stock wg', UNLESS_STOCK, () => {
  let directory: string;
  let ours: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-bytes-'));
    ours = join(directory, 'wg');
    symlinkSync(PROGRAM, ours);
    mkdirSync(join(directory, 'sockets'));
    // A name that is not UTF-8, which Node cannot pass on as an argument.
    execFileSync('bash', ['-c', `printf %s ${KEY} > ${directory}/$'k\\xff'`]);
    writeFileSync(join(directory, 'trailing'), `${KEY}é`);
    writeFileSync(join(directory, 'conf'), Buffer.from('[Interface]\nX\xff=1\n', 'latin1'));
  });

  after(() => rmSync(directory, { recursive: true }));

  for (const [what, command] of [
    ['a path that is not UTF-8', `wg set wg0 private-key $'k\\xff'`],
    ['a word that is not UTF-8', `wg set wg0 listen-port $'8\\xff'`],
    ['a byte behind a key in a file', 'wg set wg0 private-key trailing'],
    ['a line that is not UTF-8', 'wg setconf wg0 conf'],
    ['an empty pipe as a key file', 'wg set wg0 private-key <(true)'],
    ['an empty pipe as a preshared key file', `wg set wg0 peer ${KEY} preshared-key <(exit 1)`],
    ['an empty standard input as a key file', ': | wg set wg0 private-key /dev/stdin'],
    ['/dev/null as a key file', 'wg set wg0 private-key /dev/null'],
    ['an endless key file', 'wg set wg0 private-key <(yes)'],
    ['an endless file', 'wg setconf wg0 <(yes)'],
    ['an endless private key', 'yes | wg pubkey'],
    ['a byte order mark before a private key', `printf '\\xef\\xbb\\xbf${KEY}' | wg pubkey`],
    ['a private key in other letters', `printf 'é%.0s' {1..22} | wg pubkey`],
    ['more letters than a private key has', `printf '€%.0s' {1..15} | wg pubkey`],
    ['white space behind a private key', `printf '${KEY} \\n\\r\\v\\0' | wg pubkey`],
    ['a directory as standard input', 'wg pubkey < /'],
  ] as const) {
    it(`reads ${what}`, async () => {
      assert.deepEqual(await run(command, directory), await run(command, '/nonexistent'));
    });
  }

  it('does not list interfaces whose folder it may not read', async () => {
    const command =
      'chmod 700 /run/wireguard; setpriv --reuid=65534 --clear-groups -- "$(command -v wg)" show interfaces';
    spawnSync('chmod', ['755', directory]);

    const shown = await run(command, directory);

    assert.equal(shown.err, 'Unable to list interfaces: Permission denied\n');
    assert.deepEqual(shown, await run(command, '/nonexistent'));
  });

  /** Runs a line of bash with a daemon's folder of its own. @param first The folder in which `wg` is looked for first. */
  async function run(command: string, first: string): Promise<{ status: number | null; out: string; err: string }> {
    const script = 'mount --bind "$0/sockets" /run/wireguard && cd "$0" && eval "$1"';
    const child = spawn('unshare', ['-m', 'bash', '-c', `mkdir -p /run/wireguard; ${script}`, directory, command], {
      env: { PATH: `${first}:${process.env['PATH']}`, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, [status]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'exit')]);
    return { status, out: out.toString('latin1'), err: err.toString('latin1') };
  }
});

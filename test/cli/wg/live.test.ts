import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { generateKeyPair } from '../../lab/keys.js';
import { canRunDaemon, KERNEL, LiveDaemons, until } from './live-daemon.js';
import { FIELDS, IS_KERNEL_GUEST, type Outcome, type RunOptions, runOurs, runStock, withoutTick } from './run-wg.js';

const WIRETYPED = fileURLToPath(new URL('../../../../bin/wiretyped', import.meta.url));
const NAME = 'wg0';
const KEY = Buffer.alloc(32, 0x48).toString('base64');
const PEER = Buffer.alloc(32, 7).toString('base64');
const OTHER_PEER = Buffer.alloc(32, 9).toString('base64');

for (const program of IS_KERNEL_GUEST ? [KERNEL] : ['wireguard-go', WIRETYPED]) {
  describe(`wg with running ${basename(program)}, as the stock wg`, {
    skip: !canRunDaemon(program) && 'needs root, wg, wireguard-go, TUN',
    timeout: 240_000,
  }, () => {
    let daemons: LiveDaemons;
    let directory: string;

    before(async () => {
      daemons = await LiveDaemons.start(program, NAME, 'wg1');
      ({ directory } = daemons);
      await makeSession(directory);
    });

    after(async () => await daemons.close());

    it('shows a session, and a peer without one, for people', async () => {
      for (const env of [{}, { WG_COLOR_MODE: 'always', WG_HIDE_KEYS: 'never' }]) {
        await same(['show', NAME], { env });
        await same(['show'], { env });
      }
      const { out } = await runOurs(directory, ['show', NAME]);
      assert.match(out, /\n {2}latest handshake: .*\n {2}transfer: [1-9].* B received, [1-9].* B sent\n/);
    });

    for (const field of FIELDS) {
      it(`shows the field ${field}, of one device and of all`, async () => {
        await same(['show', NAME, field]);
        await same(['show', 'all', field]);
      });
    }

    it('lists the interfaces, and writes a configuration file', async () => {
      await same(['show', 'interfaces']);
      await same(['showconf', NAME]);
    });

    async function same(argv: readonly string[], options: RunOptions = {}): Promise<void> {
      const stock = await withoutTick((nowMs) => runStock(directory, argv, { ...options, nowMs }));
      const ours = await runOurs(directory, argv, { ...options, nowMs: stock.nowMs });
      assert.deepEqual(inOrder(ours), inOrder(withPrefixes(argv, stock.outcome)));
    }

    /** Sorts the peers, which wireguard-go reports in another order each time. */
    function inOrder(outcome: Outcome): Outcome {
      return program === 'wireguard-go' ? { ...outcome, out: outcome.out.split('\n').sort().join('\n') } : outcome;
    }

    it('sets everything that the stock wg then shows', async () => {
      const keyFile = join(directory, 'key');
      writeFileSync(keyFile, KEY);
      const peer = ['preshared-key', keyFile, 'endpoint', '[fd00::1]:7', 'persistent-keepalive', '3661'];
      const words = [
        'fwmark',
        '0',
        'private-key',
        keyFile,
        'peer',
        PEER,
        ...peer,
        'allowed-ips',
        '10.0.0.1/8,fd00::/64',
      ];

      assert.deepEqual(await runOurs(directory, ['set', NAME, ...words]), {
        status: 0,
        out: '',
        err: 'Warning: AllowedIP has nonzero host part: 10.0.0.1/8\n',
      });

      const { out } = await runStock(directory, ['show', NAME], { env: { WG_HIDE_KEYS: 'never' } });
      assert.match(
        out,
        /preshared key: SEhI.*\n {2}endpoint: \[fd00::1\]:7\n {2}allowed ips: 10\.0\.0\.0\/8, fd00::\/64\n/,
      );
      assert.match(out, /every 1 hour, 1 minute, 1 second\n/);
    });

    for (const command of ['setconf', 'addconf', 'syncconf']) {
      it(`leaves the device after ${command} as the stock wg does`, async () => {
        const [before, file] = ['before.conf', 'wg0.conf'].map((name) => join(directory, name)) as [string, string];
        writeFileSync(
          before,
          `[Interface]\nPrivateKey = ${KEY}\n[Peer]\nPublicKey = ${PEER}\nAllowedIPs = 10.0.0.0/8\n`,
        );
        writeFileSync(
          file,
          `[Interface]\nPrivateKey = ${KEY}\n[Peer]\nPublicKey = ${OTHER_PEER}\nAllowedIPs = 11.0.0.0/8\n`,
        );
        const states = [];
        for (const run of [runStock, runOurs]) {
          await runStock(directory, ['setconf', NAME, before]);
          assert.equal((await run(directory, [command, NAME, file])).status, 0);
          states.push((await runStock(directory, ['show', NAME, 'allowed-ips'])).out.split('\n').sort());
        }
        assert.deepEqual(states[0], states[1]);
      });
    }

    it('says why the daemon refuses', async () => {
      const argv = ['set', NAME, 'peer', PEER, 'endpoint', '1.2.3.4:99999', 'allowed-ips', ''];
      assert.deepEqual(await runOurs(directory, argv), await runStock(directory, argv));
    });
  });
}

/** Gives wg0 a session with wg1, and a second peer that does not exist. */
async function makeSession(directory: string): Promise<void> {
  const [left, right] = [generateKeyPair(), generateKeyPair()];
  const wg = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await runStock(directory, argv);
    assert.equal(status, 0, err);
    return out.trim();
  };
  const keyFile = join(directory, 'key');
  writeFileSync(keyFile, right.privateKey);
  await wg('set', 'wg1', 'private-key', keyFile, 'peer', left.publicKey, 'allowed-ips', '10.0.0.1/32');
  const port = await wg('show', 'wg1', 'listen-port');
  writeFileSync(keyFile, left.privateKey);
  const session = ['peer', right.publicKey, 'endpoint', `127.0.0.1:${port}`, 'allowed-ips', '10.0.0.2/32,fd00::/64'];
  const silent = ['peer', PEER, 'allowed-ips', ''];
  // A keepalive makes the session; the next one is an hour away, so that the counters stand still.
  await wg(
    'set',
    NAME,
    'private-key',
    keyFile,
    'fwmark',
    '0x10',
    ...silent,
    ...session,
    'persistent-keepalive',
    '3661',
  );
  await until('the session', async () => {
    const { out } = await runStock(directory, ['show', 'all', 'transfer']);
    return out.split('\n').filter((line) => /\t[1-9]\d*\t[1-9]\d*$/.test(line)).length === 2;
  });
}

/** 1.0.20210914 writes the interface on the first line of "show all endpoints" only. */
function withPrefixes(argv: readonly string[], stock: Outcome): Outcome {
  if (argv[1] !== 'all' || argv[2] !== 'endpoints') return stock;
  let name = '';
  const lines = stock.out.split('\n').map((line) => {
    if (line === '') return line;
    const [, prefix, rest] = /^(?:(wg\d)\t)?(.*)$/.exec(line)!;
    name = prefix ?? name;
    return `${name}\t${rest}`;
  });
  return { ...stock, out: lines.join('\n') };
}

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { hasStockWg, runOurs, runStock } from './run-wg.js';

const WIRETYPED = fileURLToPath(new URL('../../../../bin/wiretyped', import.meta.url));
const NAME = 'wg0';
const START_TIMEOUT_MS = 10_000;
const KEY = Buffer.alloc(32, 0x48).toString('base64');
const PEER = Buffer.alloc(32, 7).toString('base64');
const OTHER_PEER = Buffer.alloc(32, 9).toString('base64');

/** A daemon in namespaces of its own, with a directory of ours in the place of /var/run/wireguard. */
const DAEMON = 'mkdir -p /run/wireguard && mount --bind "$0" /run/wireguard && exec "$1" -f "$2"';

for (const program of ['wireguard-go', WIRETYPED]) {
  describe(`wg with a running ${basename(program)}, as the stock wg`, {
    skip: !canRun(program) && 'needs root, wg, wireguard-go, TUN',
  }, () => {
    let directory: string;
    let daemon: ChildProcess;

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'wiretype-live-'));
      daemon = spawn('unshare', ['-m', '-n', 'sh', '-c', DAEMON, directory, program, NAME], { stdio: 'ignore' });
      const deadlineMs = performance.now() + START_TIMEOUT_MS;
      while (!existsSync(join(directory, `${NAME}.sock`))) {
        assert.ok(performance.now() < deadlineMs && daemon.exitCode === null, `${program} has not started`);
        await sleep(20);
      }
    });

    after(async () => {
      const exit = once(daemon, 'exit');
      daemon.kill();
      await exit;
      rmSync(directory, { recursive: true });
    });

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

    for (const argv of [
      ['show'],
      ['show', NAME, 'dump'],
      ['show', 'all', 'dump'],
      ['showconf', NAME],
      ['show', 'interfaces'],
    ]) {
      it(`writes "wg ${argv.join(' ')}"`, async () => {
        assert.deepEqual(await runOurs(directory, argv), await runStock(directory, argv));
      });
    }

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

function canRun(program: string): boolean {
  const isThere = spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
  return hasStockWg() && isThere && existsSync('/dev/net/tun');
}

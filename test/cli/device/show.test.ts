import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';

import { show } from '../../../src/cli/device/show-command.js';
import { watch } from '../../../src/cli/device/watch-command.js';
import { arbitraryReply, device, peer } from '../wg/arbitrary-reply.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { runOurs } from '../wg/run-wg.js';
import { assertFitsSchema } from './check-schema.js';
import { runCommand } from './run-command.js';

const HEX = '07'.repeat(32);
const NOW_S = 1_800_000_000;

describe('wiretype show and watch', () => {
  let directory: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-device-show-'));
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  beforeEach(() => {
    daemon.answers.get = device();
    daemon.answers.set = 'errno=0\n\n';
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  it('shows what wg shows', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryReply(NOW_S),
        fc.constantFrom([], ['wg0'], ['wg0', 'dump'], ['all', 'peers']),
        async (reply, words) => {
          daemon.answers.get = reply;
          const { out } = await runCommand(show, directory, words);
          assert.equal(out, (await runOurs(directory, ['show', ...words])).out);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has no colours with NO_COLOR, or where the output is no terminal', async () => {
    const coloured = async (env: Record<string, string>, columns?: number) =>
      (await runCommand(show, directory, [], { env, ...(columns === undefined ? {} : { columns }) })).out.includes(
        '\u001b',
      );

    assert.equal(await coloured({}, 80), true);
    assert.equal(await coloured({ NO_COLOR: '1' }, 80), false);
    assert.equal(await coloured({ NO_COLOR: '' }, 80), true);
    assert.equal(await coloured({ NO_COLOR: '1', WG_COLOR_MODE: 'always' }), true);
    assert.equal(await coloured({ WG_COLOR_MODE: 'never' }, 80), false);
    assert.equal(await coloured({}), false);
  });

  it('writes any device as JSON that fits schema/show.json, without secret keys', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryReply(NOW_S), async (reply) => {
        daemon.answers.get = reply;
        const { out } = await runCommand(show, directory, ['--json']);
        const shown = JSON.parse(out);
        assertFitsSchema(shown, 'show.json');
        assert.equal(out.includes('"privateKey"') || out.includes('"presharedKey"'), false);
        assert.equal(shown.interfaces[0].peers.length, reply.split('public_key=').length - 1);
      }),
      { numRuns: 60 },
    );
  });

  it('writes every field as JSON', async () => {
    daemon.answers.get = `private_key=${HEX}\nlisten_port=5\nfwmark=16\n${device(
      peer({
        preshared_key: HEX,
        endpoint: '[fd00::1]:7',
        last_handshake_time_sec: 1_700_000_000,
        rx_bytes: 1,
        tx_bytes: 2,
        persistent_keepalive_interval: 25,
        allowed_ip: '10.0.0.0/8',
      }),
    )}`;
    const { out } = await runCommand(show, directory, ['wg0', '--json'], { env: { WG_HIDE_KEYS: 'never' } });
    const key = Buffer.from(HEX, 'hex').toString('base64');
    assert.deepEqual(JSON.parse(out), {
      interfaces: [
        {
          name: 'wg0',
          publicKey: 'E75P6uryBMf9M1j8nAByGIHRdCeBKCJ+xnTzf3/pe20=',
          privateKey: key,
          listenPort: 5,
          fwMark: 16,
          peers: [
            {
              name: null,
              publicKey: key,
              hasPresharedKey: true,
              presharedKey: key,
              endpoint: '[fd00::1]:7',
              allowedIps: ['10.0.0.0/8'],
              latestHandshake: '2023-11-14T22:13:20.000Z',
              rxBytes: 1,
              txBytes: 2,
              persistentKeepaliveSeconds: 25,
            },
          ],
        },
      ],
    });
    assertFitsSchema(JSON.parse(out), 'show.json');
  });

  it('shows the names of interfaces as JSON that fits schema/interfaces.json', async () => {
    const shown = JSON.parse((await runCommand(show, directory, ['interfaces', '--json'])).out);
    assertFitsSchema(shown, 'interfaces.json');
    assert.deepEqual(shown, { interfaces: [{ name: 'wg0' }] });
  });

  it('goes on with the others when one interface cannot be read', async () => {
    const broken = await FakeDaemon.start(directory, 'wg1');
    broken.answers.get = '';
    try {
      const { status, out, err } = await runCommand(show, directory, ['--json']);
      assert.deepEqual([status, err], [0, "wg1: the daemon's answer cannot be read: it is cut short\n"]);
      assert.equal(JSON.parse(out).interfaces.length, 1);
      daemon.answers.get = '';
      assert.equal((await runCommand(show, directory, ['--json'])).status, 1);
    } finally {
      await broken.stop();
    }
  });

  for (const [words, code] of [
    [['missing'], 'ERR_CONTROL_UNREACHABLE'],
    [['wg0', 'bogus'], 'ERR_USAGE'],
    [['wg0', 'dump', '--json'], 'ERR_USAGE'],
    [['--bogus'], 'ERR_USAGE'],
    [['a', 'b', 'c'], 'ERR_USAGE'],
  ] as const) {
    it(`refuses "show ${words.join(' ')}" with ${code}`, async () => {
      assert.equal((await runCommand(show, directory, words)).code, code);
    });
  }

  it('watches: rates between two looks, age of the handshake, a hint where nothing comes back', async () => {
    const looks = [
      device(peer({ rx_bytes: 0, tx_bytes: 0, last_handshake_time_sec: NOW_S - 70 })),
      device(peer({ rx_bytes: 0, tx_bytes: 1_000_000, last_handshake_time_sec: NOW_S - 70 })),
    ];
    daemon.answers.get = looks[0]!;

    const { out } = await runCommand(watch, directory, ['wg0', '--count', '2', '--json'], {
      unixTimeMs: () => NOW_S * 1_000,
      onSleep() {
        daemon.answers.get = looks[1]!;
      },
    });

    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(lines.length, 2);
    for (const line of lines) assertFitsSchema(line, 'watch.json');
    assert.equal(lines[0].peers[0].status, 'online');
    assert.equal(lines[0].peers[0].txBytesPerSecond, 0);
    assert.ok(lines[1].peers[0].txBytesPerSecond > 0);
    assert.equal(lines[1].peers[0].handshakeAgeSeconds, 70);
  });

  it('watches: what our daemon dropped, and why', async () => {
    const looks = [0, 7].map((packets) => `public_key=${HEX}\ndropped_disallowed_source=${packets}\nerrno=0\n\n`);
    const run = async (...words: string[]) => {
      daemon.answers.get = device(peer({ last_handshake_time_sec: NOW_S - 70 }));
      daemon.answers.set = looks[0]!; // the answer to everything that is not "get"
      const onSleep = () => {
        daemon.answers.set = looks[1]!;
      };
      const surroundings = { unixTimeMs: () => NOW_S * 1_000, onSleep };
      return (await runCommand(watch, directory, ['wg0', '--count', '2', ...words], surroundings)).out;
    };

    const [before, line] = (await run('--json')).trimEnd().split('\n');
    assertFitsSchema(JSON.parse(line!), 'watch.json');
    assert.equal(JSON.parse(before!).peers[0].hint, null);
    const { droppedPackets, dropReason, hint } = JSON.parse(line!).peers[0];
    assert.deepEqual([droppedPackets, dropReason, hint], [7, 'disallowed_source', 'dropping']);
    assert.match(await run(), /\n {2}→ 7 packets dropped: their source is not among the allowed IPs\n/);
  });

  it('watches a daemon that does not tell what it dropped', async () => {
    daemon.answers.get = device(peer({ last_handshake_time_sec: NOW_S }));
    daemon.answers.set = '';
    const { out } = await runCommand(watch, directory, ['wg0', '--count', '1', '--json']);
    assertFitsSchema(JSON.parse(out), 'watch.json');
    assert.equal(JSON.parse(out).peers[0].droppedPackets, null);
  });

  it('watches any device', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryReply(NOW_S), fc.constantFrom(undefined, 40, 200), async (reply, columns) => {
        daemon.answers.get = reply;
        const surroundings = {
          unixTimeMs: () => NOW_S * 1_000,
          env: { NO_COLOR: '1' },
          ...(columns === undefined ? {} : { columns }),
        };
        const json = await runCommand(watch, directory, ['wg0', '--count', '1', '--json'], surroundings);
        assertFitsSchema(JSON.parse(json.out), 'watch.json');
        const table = await runCommand(watch, directory, ['wg0', '--count', '1'], surroundings);
        const lines = table.out.replace('\u001b[H\u001b[J', '').split('\n');
        assert.ok(lines.every((line, i) => i === 0 || line.length <= (columns ?? 1_000)));
        const { peers } = JSON.parse(json.out) as { peers: { hint: string | null }[] };
        const hints = peers.filter(({ hint }) => hint !== null).length;
        assert.equal(lines.filter((line) => line.startsWith('  → ')).length, hints);
        assert.equal(lines.filter((line) => line !== '').length, 2 + peers.length + hints);
      }),
      { numRuns: 40 },
    );
  });

  it('names the peers of the interface in all JSON, from the comments of its file', async () => {
    daemon.answers.get = device(peer({ last_handshake_time_sec: NOW_S }));
    const key = Buffer.from(HEX, 'hex').toString('base64');
    writeFileSync(join(directory, 'wg0.conf'), `[Peer]\n# Name = phone\nPublicKey = ${key}\n`);
    const surroundings = { configDirectory: directory };
    const shown = JSON.parse((await runCommand(show, directory, ['wg0', '--json'], surroundings)).out);
    const watched = JSON.parse(
      (await runCommand(watch, directory, ['wg0', '--json', '--count', '1'], surroundings)).out,
    );
    rmSync(join(directory, 'wg0.conf'));
    assert.deepEqual([shown.interfaces[0].peers[0].name, watched.peers[0].name], ['phone', 'phone']);
  });

  it('fits a terminal of 40 columns, where names are cut and the endpoint goes first', async () => {
    daemon.answers.get = device(
      peer({
        endpoint: '203.0.113.77:51820',
        last_handshake_time_sec: NOW_S,
        rx_bytes: 5_000_000,
        tx_bytes: 7_000_000,
      }),
    );
    const surroundings = { unixTimeMs: () => NOW_S * 1_000, env: { NO_COLOR: '1' }, columns: 40 };
    const { out } = await runCommand(watch, directory, ['wg0', '--count', '1'], surroundings);
    const lines = out.replace('\u001b[H\u001b[J', '').split('\n');
    assert.ok(lines.every((line) => line.length <= 40));
    assert.match(out, /^PEER +HANDSHAKE +RX\/S +TX\/S$/m);
  });

  for (const args of [
    ['wg0', '--interval', '0'],
    ['wg0', '--count', 'x'],
    ['wg0', '--count', '1.5'],
    [],
    ['wg0', 'wg1'],
  ]) {
    it(`refuses "watch ${args.join(' ')}"`, async () => {
      assert.equal((await runCommand(watch, directory, args)).code, 'ERR_USAGE');
    });
  }
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';

import { deviceMetrics } from '../../../src/cli/device/device-metrics.js';
import { formatExposition } from '../../../src/cli/device/exposition-text.js';
import { metrics } from '../../../src/cli/device/metrics-command.js';
import { parseListenAddress } from '../../../src/cli/device/metrics-server.js';
import { createContext } from '../../../src/cli/wg/create-context.js';
import { arbitraryReply, device, peer } from '../wg/arbitrary-reply.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { runCommand } from './run-command.js';

const HEX = '07'.repeat(32);
const KEY = Buffer.from(HEX, 'hex').toString('base64');
const NOW_S = 1_800_000_000;
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

describe('wiretype metrics', () => {
  let directory: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-metrics-'));
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  beforeEach(() => {
    daemon.answers.get = device(
      peer({ rx_bytes: 5, tx_bytes: 18_446_744_073_709_551_615n.toString(), last_handshake_time_sec: NOW_S - 70 }),
    );
    daemon.answers.set = `dropped_no_peer=3\npublic_key=${HEX}\ndropped_disallowed_source=7\nerrno=0\n\n`;
    writeFileSync(join(directory, 'wg0.conf'), `[Peer]\n# Name = Anna's \\ "phone"\nPublicKey = ${KEY}\n`);
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  it('writes counters with the names of peers, escaped, as labels', async () => {
    const { out } = await read(['wg0']);
    const labels = `interface="wg0",public_key="${KEY}"`;
    const name = String.raw`friendly_name="Anna's \\ \"phone\""`;
    assert.match(out, /^wireguard_interface_up\{interface="wg0"\} 1$/m);
    assert.match(out, /^wireguard_peers\{interface="wg0"\} 1$/m);
    for (const line of [
      `wireguard_dropped_packets_total{interface="wg0",reason="no_peer"} 3`,
      `wireguard_peer_dropped_packets_total{${labels},${name},reason="disallowed_source"} 7`,
    ]) {
      assert.ok(out.split('\n').includes(line), line);
    }
    const shared = out.match(/^wireguard_sent_bytes_total(\{.*\}) 18446744073709551615$/m)![1]!;
    assert.ok(shared.startsWith(`{${labels},allowed_ips="`) && shared.endsWith(`,${name}}`));
    for (const line of [
      `wireguard_received_bytes_total${shared} 5`,
      `wireguard_latest_handshake_seconds${shared} ${NOW_S - 70}`,
      `wireguard_peer_online${shared} 1`,
    ]) {
      assert.ok(out.split('\n').includes(line), line);
    }
  });

  it('writes what promtool accepts without a complaint', { skip: !hasPromtool && 'needs promtool' }, async () => {
    const { out } = await read([]);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: out, encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  });

  it('writes any device as lines of the format', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryReply(NOW_S), async (reply) => {
        daemon.answers.get = reply;
        for (const line of (await read(['wg0'])).out.trimEnd().split('\n')) {
          assert.match(
            line,
            /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\} [0-9]+)$/,
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  it('escapes any label', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const text = formatExposition([
          { name: 'a', help: 'b.', type: 'gauge', samples: [{ labels: { l: value }, value: 1 }] },
        ]);
        const [, escaped] = /\na\{l="((?:[^"\\\n]|\\["\\n])*)"\} 1\n$/.exec(text)!;
        const given = escaped!.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
        assert.equal(given, value);
      }),
    );
  });

  it('refuses an interface that does not run, and shows it as down where it is served', async () => {
    assert.equal((await read(['wg1'])).code, 'ERR_CONTROL_UNREACHABLE');
    const down = { name: 'wg1', device: undefined, names: new Map(), explanation: undefined };
    assert.match(formatExposition(deviceMetrics([down], 0)), /^wireguard_interface_up\{interface="wg1"\} 0$/m);
  });

  it('serves them over HTTP until it is interrupted, and only by GET of /metrics', async () => {
    const end = new AbortController();
    let resolve = (_url: string) => {};
    const listening = new Promise<string>((settle) => {
      resolve = settle;
    });
    const io = {
      readInput: async () => '',
      write: () => {},
      writeError: (text: string) => resolve(/http:\S+/.exec(text)![0]),
      columns: undefined,
      deliver: async () => true,
      interruption: () => end.signal,
    };
    const context = createContext(io, false, { socketDirectory: directory, configDirectory: directory, env: {} });
    const served = metrics.runIn(context, ['--listen', '0']);
    const url = await listening;

    const answer = await fetch(url);
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(await answer.text(), /^wireguard_peers\{interface="wg0"\} 1$/m);
    assert.equal((await fetch(url.replace('/metrics', '/'))).status, 404);
    assert.equal((await fetch(url, { method: 'POST' })).status, 405);
    assert.match(url, /^http:\/\/127\.0\.0\.1:/);

    end.abort();
    await served;
    await assert.rejects(fetch(url));
  });

  for (const [text, host, port] of [
    ['9586', '127.0.0.1', 9_586],
    [':9586', '127.0.0.1', 9_586],
    ['localhost:1', '127.0.0.1', 1],
    ['192.0.2.1:80', '192.0.2.1', 80],
    ['[::1]:9586', '::1', 9_586],
  ] as const) {
    it(`listens by ${text} at ${host}, port ${port}`, () => assert.deepEqual(parseListenAddress(text), { host, port }));
  }

  for (const text of ['', 'x', '::1:5', '[127.0.0.1]:5', '1.2.3:5', 'example.net:5', '127.0.0.1:65536', '127.0.0.1:']) {
    it(`refuses to listen by "${text}"`, async () => {
      assert.equal((await read(['--listen', text])).code, 'ERR_USAGE');
    });
  }

  async function read(args: readonly string[]) {
    return await runCommand(metrics, directory, args, { unixTimeMs: () => NOW_S * 1_000 });
  }
});

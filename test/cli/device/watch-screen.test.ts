import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { watch } from '../../../src/cli/device/watch-command.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { runCommand, type Surroundings } from './run-command.js';

const PEERS = 33;
const NOW_S = 1_800_000_000;
const CLEAR = '\u001b[H\u001b[J';

describe('the screen of wiretype watch', () => {
  let directory: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-watch-'));
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  it('has the busiest peers first, and as many as fit into the rows', async () => {
    const [, second] = await look({ columns: 80, rows: 24 }, 2);
    const lines = second!.split('\n');
    assert.ok(lines.length <= 24);
    assert.match(lines[0]!, /^wg0 {2}33 peers, 33 online/);
    assert.ok(lines[3]!.startsWith(shortKey(PEERS - 1)), 'the peer with most traffic');
    assert.ok(lines[4]!.startsWith(shortKey(PEERS - 2)));
    assert.equal(lines[22], '+14 idle');
  });

  it('turns pages by keys, as long as there is another one', async () => {
    let press = (_key: string) => {};
    const screens = await look({ columns: 80, rows: 24, onKeyboard: (given) => (press = given) }, 2, () => {
      for (const key of [' ', ' ', ' ', 'b', 'b', 'b', 'x']) press(key);
    });
    const footers = screens.map((screen) => /^\+\d+ .*$/m.exec(screen)?.[0].replace(/ {2}.*/, ''));
    const [one, two] = ['+14 idle', '+19 idle'];
    assert.deepEqual(footers, [one, two, two, two, one, one, one, one]);
    assert.match(screens[0]!, /space: next page, b: back, q: quit/);
  });

  it('ends by "q"', async () => {
    let press = (_key: string) => {};
    const screens = await look({ columns: 80, rows: 24, onKeyboard: (given) => (press = given) }, 9, () => press('q'));
    assert.equal(screens.length, 1);
  });

  it('writes all peers, in the order of the device, where there is no terminal', async () => {
    const out = (await runCommand(watch, directory, ['wg0', '--count', '1'], { env: {} })).out;
    const keys = out.split('\n').slice(3, 3 + PEERS);
    assert.deepEqual(
      keys.map((line) => line.slice(0, 13)),
      Array.from({ length: PEERS }, (_, i) => shortKey(i)),
    );
  });

  it('has neither cursor codes nor pages on a dumb terminal, and 80 columns where the terminal has none', async () => {
    const env = { TERM: 'dumb', NO_COLOR: '1' };
    const { out } = await runCommand(watch, directory, ['wg0', '--count', '1'], { env, columns: 0, rows: 24 });
    assert.ok(!out.includes('\u001b'));
    assert.ok(out.includes(shortKey(PEERS - 1)));
  });

  /** @returns The screens, one after the other. */
  async function look(surroundings: Surroundings, count: number, between = () => {}): Promise<string[]> {
    daemon.answers.get = reply(false);
    const { out } = await runCommand(watch, directory, ['wg0', '--count', String(count)], {
      env: { NO_COLOR: '1' },
      unixTimeMs: () => NOW_S * 1_000,
      onSleep() {
        daemon.answers.get = reply(true);
        between();
      },
      ...surroundings,
    });
    return out.split(CLEAR).slice(1);
  }
});

/** The last five peers are busy, the last one most. */
function reply(isLater: boolean): string {
  const peers = Array.from({ length: PEERS }, (_, i) => {
    const bytes = isLater && i >= PEERS - 5 ? 1_000_000 * (i + 1) : 0;
    return `public_key=${key(i).toString('hex')}\nlast_handshake_time_sec=${NOW_S}\nrx_bytes=${bytes}\ntx_bytes=0\n`;
  });
  return `${peers.join('')}errno=0\n\n`;
}

function key(i: number): Buffer {
  return Buffer.alloc(32, i + 1);
}

function shortKey(i: number): string {
  return `${key(i).toString('base64').slice(0, 12)}…`;
}

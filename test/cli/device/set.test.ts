import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';

import { set } from '../../../src/cli/device/set-command.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { runCommand } from './run-command.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const HEX = '07'.repeat(32);

describe('wiretype set', () => {
  let directory: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-device-set-'));
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  beforeEach(() => {
    daemon.answers.set = 'errno=0\n\n';
    daemon.takeRequests();
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  it('sends what wg sends', async () => {
    const words = ['wg0', 'listen-port', '5', 'peer', KEY, 'endpoint', '[fd00::1]:51820', 'allowed-ips', '+10.0.0.0/8'];
    const { status, out, err } = await runCommand(set, directory, words);

    assert.deepEqual({ status, out, err }, { status: 0, out: '', err: '' });
    assert.deepEqual(daemon.takeRequests(), [
      `set=1\nlisten_port=5\npublic_key=${HEX}\nendpoint=[fd00::1]:51820\nallowed_ip=10.0.0.0/8\n\n`,
    ]);
  });

  for (const [words, message] of [
    [['listen-port', '99999'], 'listen-port "99999": a port is a number from 0 (any free port) to 65535'],
    [['listen-port', 'domain'], 'listen-port "domain": a port is a number from 0 (any free port) to 65535'],
    [['fwmark', '-1'], 'fwmark "-1": a mark is "off", a number, or 0x and up to eight hexadecimal digits'],
    [['peer', 'x'], 'peer "x": not a key: it has 1 characters, a key has 44'],
    [['peer', KEY, 'endpoint', '1.2.3.4:99999'], 'endpoint "1.2.3.4:99999": the port is not a number from 1 to 65535'],
    [['peer', KEY, 'endpoint', '1.2.3.4:http'], 'endpoint "1.2.3.4:http": the port is not a number from 1 to 65535'],
    [
      ['peer', KEY, 'persistent-keepalive', '65536'],
      'persistent-keepalive "65536": seconds are "off" or a number from 0 to 65535',
    ],
    [
      ['peer', KEY, 'allowed-ips', '10.0.0.0/33'],
      'allowed-ips "10.0.0.0/33": "/33" is not a prefix length: IPv4 has 0 to 32',
    ],
    [['private-key', '/nonexistent'], '/nonexistent: No such file or directory'],
    [['private-key', '/tmp'], '/tmp: Invalid length key in key file'],
  ] as const) {
    it(`refuses ${words.join(' ').replace(KEY, 'KEY')}, which wg would take or explain badly`, async () => {
      const outcome = await runCommand(set, directory, ['wg0', ...words]);

      assert.deepEqual([outcome.code, outcome.message], ['ERR_VALUE', message]);
      assert.deepEqual(daemon.takeRequests(), []);
    });
  }

  it('keeps the text of a malformed key file to itself', async () => {
    const file = join(directory, 'key');
    writeFileSync(file, `${KEY.slice(0, 42)}d=`);
    const { code, message } = await runCommand(set, directory, ['wg0', 'private-key', file]);
    assert.equal(code, 'ERR_VALUE');
    assert.ok(!message!.includes(KEY.slice(0, 20)));
  });

  for (const [words, message] of [
    [['bogus', 'x'], 'Invalid argument: bogus'],
    [['peer'], 'Invalid argument: peer'],
    [[], 'nothing to set'],
  ] as const) {
    it(`says how it is called for "${words.join(' ')}"`, async () => {
      const outcome = await runCommand(set, directory, ['wg0', ...words]);
      assert.deepEqual([outcome.code, outcome.message], ['ERR_USAGE', message]);
    });
  }

  for (const [answer, code, message] of [
    ['errno=-98\n\n', 'ERR_PORT_IN_USE', 'wg0: the daemon refuses: Address already in use'],
    ['errno=98\n\n', 'ERR_PORT_IN_USE', 'wg0: the daemon refuses: Address already in use'],
    ['errno=-22\n\n', 'ERR_CONTROL_REFUSED', 'wg0: the daemon refuses: Invalid argument'],
    ['errno=22\n\n', 'ERR_CONTROL_REFUSED', 'wg0: the daemon refuses: Invalid argument'],
    ['', 'ERR_CONTROL_REPLY', "wg0: the daemon's answer cannot be read: it is cut short"],
  ] as const) {
    it(`takes ${JSON.stringify(answer)} of a daemon for ${code}, whatever the sign`, async () => {
      daemon.answers.set = answer;
      const outcome = await runCommand(set, directory, ['wg0', 'listen-port', '5']);
      assert.deepEqual([outcome.code, outcome.message], [code, message]);
    });
  }

  it('says that no daemon answers, and removes the socket that one left behind', async () => {
    const dead = await FakeDaemon.start(directory, 'wg9');
    const socket = join(directory, 'wg9.sock');
    await dead.die();
    assert.equal(existsSync(socket), true);
    for (const name of ['wg9', 'wg8']) {
      const { code, message } = await runCommand(set, directory, [name, 'listen-port', '5']);
      assert.equal(code, 'ERR_CONTROL_UNREACHABLE');
      assert.ok(message?.startsWith(`${name}: no daemon answers for this interface`), message);
    }
    assert.equal(existsSync(socket), false);
  });
});

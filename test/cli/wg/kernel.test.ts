import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';

import { show as showCommand } from '../../../src/cli/device/show-command.js';
import { watch } from '../../../src/cli/device/watch-command.js';
import { createContext } from '../../../src/cli/wg/create-context.js';
import { wgMain } from '../../../src/cli/wg/wg-main.js';
import { KernelWireguard } from '../../../src/control/netlink/kernel-wireguard.js';
import { WireGuardError } from '../../../src/core/errors.js';
import { FakeKernel } from '../../control/netlink/fake-kernel.js';
import { FakeDaemon } from './fake-daemon.js';

const KEY = Buffer.alloc(32, 0x48).toString('base64');
const PEER = Buffer.alloc(32, 7).toString('base64');
const OTHER_PEER = Buffer.alloc(32, 9).toString('base64');

describe("interfaces of the kernel's own, as wg sees them", () => {
  const directory = mkdtempSync(join(tmpdir(), 'wiretype-kernel-'));
  const keyFile = join(directory, 'key');
  writeFileSync(keyFile, KEY);
  let kernel: FakeKernel;

  beforeEach(() => {
    kernel = new FakeKernel();
    kernel.addDevice('kern0');
  });
  after(() => rmSync(directory, { recursive: true }));

  it('are set and shown like those of a daemon', async () => {
    const peer = ['peer', PEER, 'preshared-key', keyFile, 'endpoint', '[fd00::1]:7', 'persistent-keepalive', '25'];
    const set = ['set', 'kern0', 'listen-port', '5', 'fwmark', '0x10', 'private-key', keyFile, ...peer];
    assert.deepEqual(await wg(...set, 'allowed-ips', '10.0.0.0/8,fd00::/64'), { status: 0, out: '', err: '' });

    const { out } = await wg('show', 'kern0', 'dump');
    const [device, shown] = out.split('\n').map((line) => line.split('\t'));
    assert.deepEqual([device?.[0], ...device!.slice(2)], [KEY, '5', '0x10']);
    assert.deepEqual(shown, [PEER, KEY, '[fd00::1]:7', '10.0.0.0/8,fd00::/64', '0', '0', '0', '25']);
    assert.match((await wg('showconf', 'kern0')).out, /^\[Interface\]\nListenPort = 5\nFwMark = 0x10\n/);
  });

  it('come before those of daemons in lists, and go behind a socket of the same name', async () => {
    const daemon = await FakeDaemon.start(directory, 'wg0');
    try {
      kernel.addDevice('wg0').port = 5;
      daemon.answers.get = 'listen_port=7\nerrno=0\n\n';
      assert.equal((await wg('show', 'wg0', 'listen-port')).out, '7\n');
      await daemon.die();
      assert.equal((await wg('show', 'wg0', 'listen-port')).out, '5\n');
    } finally {
      rmSync(join(directory, 'wg0.sock'), { force: true });
    }
  });

  it('follow a file: setconf, addconf, syncconf', async () => {
    const file = join(directory, 'wg.conf');
    const sections = (...peers: string[]) =>
      peers.map((peer) => `[Peer]\nPublicKey = ${peer}\nAllowedIPs = 10.0.0.0/8\n`);
    for (const [command, peers, left] of [
      ['setconf', [PEER], [PEER]],
      ['addconf', [OTHER_PEER], [PEER, OTHER_PEER]],
      ['syncconf', [OTHER_PEER], [OTHER_PEER]],
    ] as const) {
      writeFileSync(file, `[Interface]\nPrivateKey = ${KEY}\n${sections(...peers).join('')}`);
      assert.equal((await wg(command, 'kern0', file)).status, 0);
      assert.deepEqual((await wg('show', 'kern0', 'peers')).out.trim().split('\n'), left);
    }
  });

  it('fail in the words of the system', async () => {
    kernel.usedPorts.add(53);
    for (const [argv, err] of [
      [['show', 'nope'], 'Unable to access interface: No such device\n'],
      [['show', 'lo'], 'Unable to access interface: Operation not supported\n'],
      [['set', 'kern0', 'listen-port', '53'], 'Unable to modify interface: Address already in use\n'],
      [['set', 'sixteencharsname', 'listen-port', '5'], 'Unable to modify interface: File name too long\n'],
    ] as const) {
      assert.deepEqual(await wg(...argv), { status: 1, out: '', err });
    }
    kernel.hasWireguard = false;
    assert.equal((await wg('show', 'kern0')).err, 'Unable to access interface: Protocol not supported\n');
  });

  it('are out of reach without the addon, which is said, in the form of each name', async () => {
    const missing = new WireGuardError('ERR_ADDON_MISSING', 'The native addon could not be loaded.');
    const context = () => Promise.reject(missing);
    const { status, err } = await wgWith(context, 'show', 'lo');
    assert.equal(status, 1);
    assert.match(err, /^Unable to access interface: (?:No such device|Protocol not supported)\n$/);
  });

  it('have no counts of drops, and watch says so', async () => {
    const said = { out: '', err: '' };
    const context = createContext(collecting(said), false, surroundings());
    await watch.runIn(context, ['kern0', '--count', '1']);
    assert.match(said.out, /^kern0 {2}0 peers, .* UTC {2}the kernel's own: drops are not counted\n/);
    said.out = '';
    await showCommand.runIn(context, ['kern0', '--json']);
    assert.equal(JSON.parse(said.out).interfaces[0].name, 'kern0');
    await assert.rejects(async () => await showCommand.runIn(context, ['nope']), {
      code: 'ERR_CONTROL_UNREACHABLE',
      message: 'nope: no daemon answers for this interface',
    });
  });

  const io = {
    readInput: async () => '',
    write: (_: string) => {},
    writeError: (_: string) => {},
    columns: undefined,
    deliver: async () => true,
    interruption: () => new AbortController().signal,
  };

  function collecting(said: { out: string; err: string }) {
    return {
      ...io,
      write(text: string) {
        said.out += text;
      },
      writeError(text: string) {
        said.err += text;
      },
    };
  }

  function surroundings(reach = async () => new KernelWireguard(kernel.open)) {
    return { env: {}, socketDirectory: directory, unixTimeMs: () => 0, sleep: async () => {}, kernel: reach };
  }

  async function wg(...argv: string[]) {
    return await wgWith(async () => new KernelWireguard(kernel.open), ...argv);
  }

  async function wgWith(reach: () => Promise<KernelWireguard>, ...argv: string[]) {
    const said = { out: '', err: '' };
    const status = await wgMain(argv, collecting(said), surroundings(reach));
    return { status, ...said };
  }
});

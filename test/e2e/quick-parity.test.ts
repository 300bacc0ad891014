/**
 * `wiretype up` and `down` beside stock `wg-quick`: the same file makes the same host, and nothing is left of it.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers.
 */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { describe, it } from 'node:test';

import { subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import type { Machine } from '../lab/machine.js';
import { BACKEND_ENVIRONMENT, hostState, openClient } from '../lab/quick-client.js';

/** Title, lines of [Interface], lines of [Peer]. */
const FILES: readonly (readonly [title: string, ofInterface: readonly string[], ofPeer: readonly string[]])[] = [
  ['two subnets', ['Address = 10.66.0.2/24, fd66::2/64'], ['AllowedIPs = 10.66.0.0/24, 10.99.0.0/16, fd99::/48']],
  [
    'a client for everything',
    ['Address = 10.66.0.2/32', 'Address = fd66::2/128', 'DNS = 10.66.0.1, corp.example'],
    ['AllowedIPs = 0.0.0.0/0, ::/0, 10.99.0.0/16'],
  ],
  ['all of IPv4, with a mark of its own', ['Address = 10.66.0.2/24', 'FwMark = 0x1234'], ['AllowedIPs = 0.0.0.0/0']],
  ['a table of its own', ['Address = 10.66.0.2/24', 'Table = 1234'], ['AllowedIPs = 0.0.0.0/0, 10.99.0.0/16']],
  ['no routes', ['Address = 10.66.0.2/24', 'Table = off'], ['AllowedIPs = 0.0.0.0/0, 10.99.0.0/16']],
  [
    'lists and values that say nothing',
    ['Address = 10.66.0.2/255.255.255.0,, fd66::2/64,', 'DNS = , corp.example,', 'MTU =', 'Table = # later'],
    ['AllowedIPs = 10.99.0.0/16'],
  ],
  ['an MTU, a port, no address', ['MTU = 1300', 'ListenPort = 51999'], ['AllowedIPs = 10.99.0.0/16']],
];

describe('up and down beside wg-quick', { concurrency: 2 }, () => {
  for (const [title, ofInterface, ofPeer] of FILES) {
    it(`makes the same host of a file with ${title}`, { timeout: 240_000 }, async (t) => {
      const { client } = await openClient(t);
      // The stock program needs it; what it is called with is compared.
      await client.install('resolvconf', 'echo "$@" >> /run/resolvconf.log; cat >> /run/resolvconf.log');
      await client.write('/etc/wireguard/wg0.conf', fileOf(ofInterface, ofPeer));
      const before = await hostState(client);

      await client.run('wg-quick', ['up', 'wg0'], { env: BACKEND_ENVIRONMENT });
      const stock = await snapshot(client);
      await client.run('wg-quick', ['down', 'wg0']);
      await client.run('bash', [
        '-c',
        'rm -f /run/resolvconf.log; echo 0 > /proc/sys/net/ipv4/conf/all/src_valid_mark',
      ]);
      const up = await client.wiretype('up', '--implementation', subject.command, 'wg0');
      const ours = await snapshot(client);
      const down = await client.wiretype('down', 'wg0');

      assert.equal(up.status, 0, up.stderr);
      assert.equal(withoutRefusal(ours), stock);
      assert.equal(REFUSAL.test(ours), /everything|all of/.test(title), 'a diverted table refuses the rest');
      assert.equal(down.status, 0, down.stderr);
      assert.equal(await hostState(client), before);
    });
  }

  it('takes down what wg-quick has set up, and the other way round', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const [, ofInterface, ofPeer] = FILES[1]!;
    await client.write('/etc/wireguard/wg0.conf', fileOf([ofInterface[0]!, ofInterface[1]!], ofPeer));
    await client.run('bash', ['-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/src_valid_mark']);
    const before = await hostState(client);

    await client.run('wg-quick', ['up', 'wg0'], { env: BACKEND_ENVIRONMENT });
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
    assert.equal(await hostState(client), before);

    assert.equal((await client.wiretype('up', '--implementation', subject.command, 'wg0')).status, 0);
    await client.run('wg-quick', ['down', 'wg0']);
    assert.equal(withoutRefusal(await hostState(client)), before);
  });

  it('echoes what it does in the words of wg-quick', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const [, ofInterface, ofPeer] = FILES[1]!;
    await client.install('resolvconf', 'cat > /dev/null');
    await client.write('/etc/wireguard/wg0.conf', fileOf([...ofInterface, 'PostUp = true %i'], ofPeer));

    const stock = await client.attempt('wg-quick', ['up', 'wg0'], { env: BACKEND_ENVIRONMENT });
    await stockDown(client);
    const ours = await client.wiretype('up', '--implementation', subject.command, 'wg0');

    const known = new Set(echoes(stock.stderr));
    assert.deepEqual(
      echoes(ours.stderr).filter((line) => !known.has(line) && !line.includes('unreachable')),
      [],
    );
    const said = new Set(echoes(ours.stderr));
    assert.deepEqual(
      echoes(stock.stderr).filter((line) => !said.has(line)),
      // We do not ask for a kernel module whose interfaces we could not configure.
      ['[#] ip link add wg0 type wireguard'],
    );
  });
});

/**
 * The routes that the stock program does not add: without a daemon, the traffic of the tunnel does not leave in clear.
 */
const REFUSAL = /^unreachable default .*metric 4294967295.*\n/m;

function withoutRefusal(state: string): string {
  return state.replace(new RegExp(REFUSAL, 'gm'), '');
}

/** The stock program leaves the setting of the kernel as it was while it was up. */
async function stockDown(client: Machine): Promise<void> {
  await client.run('wg-quick', ['down', 'wg0']);
  await client.run('bash', ['-c', 'rm -f /run/resolvconf.log; echo 0 > /proc/sys/net/ipv4/conf/all/src_valid_mark']);
}

function fileOf(ofInterface: readonly string[], ofPeer: readonly string[]): string {
  const { privateKey } = generateKeyPair();
  const { publicKey } = generateKeyPair();
  const lines = ['[Interface]', `PrivateKey = ${privateKey}`, ...ofInterface, '', '[Peer]', ...ofPeer];
  return [...lines, `PublicKey = ${publicKey}`, 'Endpoint = 203.0.113.9:51820', ''].join('\n');
}

/** The host and the device while the tunnel is up, without counters. Tables may be listed in any order. */
async function snapshot(client: Machine): Promise<string> {
  const state = await hostState(client);
  const [rest = '', tail = ''] = state.split('nftables');
  const [ruleset = '', files = ''] = tail.split('resolv.conf\n');
  const tables = ruleset.split(/^(?=table )/m).sort();
  const device = await client.run('bash', [
    '-c',
    'wg show wg0 dump | cut -f3,4,8; cat /run/resolvconf.log 2>/dev/null || true',
  ]);
  return [rest, ...tables, files, withoutRandomPort(device)].join('\n');
}

/** Without ListenPort the system chooses one. */
function withoutRandomPort(dump: string): string {
  return dump.replace(/^(?!51999)\d+/, 'PORT');
}

function echoes(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('[#]'))
    .map((line) =>
      line
        .replace(/\/dev\/fd\/\d+|\/dev\/stdin|-f -/, (word) => (word === '-f -' ? '-f FILE' : 'FILE'))
        .replace('setconf', 'addconf')
        .replace(subject.command, basename(subject.command)),
    );
}

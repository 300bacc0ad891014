/**
 * Commands that change one file and one interface at the same time: nothing that one of them did is lost.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CHECKOUT, subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import type { Machine } from '../lab/machine.js';
import { hostState, openClient } from '../lab/quick-client.js';

const FILE = '/etc/wireguard/wg0.conf';
const UP = ['up', '--implementation', subject.command, 'wg0'];
const OTHERS = [
  ['reload', 'wg0'],
  ['save', 'wg0'],
  ['reload', 'wg0'],
  ['remove-peer', 'wg0', 'old'],
] as const;

/** Knows no -w, as BusyBox's flock: `flock [-sxun] FD` and `flock [-sxun] FILE PROGRAM`. */
const BUSYBOX_FLOCK = `for word in "$@"; do [[ $word == -w || $word == --* ]] && { echo "flock: invalid option" >&2; exit 1; }; done
exec /usr/bin/flock "$@"`;

describe('commands at once', { concurrency: 2 }, () => {
  it('lose no peer, neither from the file nor from the interface', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, serverFile(['SaveConfig = true']));
    assert.equal((await client.wiretype(...UP)).status, 0);

    const names = Array.from({ length: 16 }, (_, i) => `peer-${i}`);
    const calls = [...names.map((name) => ['add-peer', 'wg0', name, '--endpoint', 'vpn.example:51820']), ...OTHERS];
    const ends = await Promise.all(calls.map(async (call) => await client.wiretype(...call)));

    for (const [i, { status, stderr }] of ends.entries()) assert.equal(status, 0, `${calls[i]!.join(' ')}: ${stderr}`);
    await assertPeers(client, names);
    // An end of the interface that saves, beside more changes.
    const late = ['late-0', 'late-1', 'late-2'];
    const lateCalls = [
      ['down', 'wg0'],
      ...late.map((name) => ['add-peer', 'wg0', name, '--endpoint', 'vpn.example:51820']),
    ];
    for (const { status, stderr } of await Promise.all(lateCalls.map(async (call) => await client.wiretype(...call)))) {
      assert.equal(status, 0, stderr);
    }
    assert.deepEqual(await namesOf(client), [...names, ...late].sort());
  });

  it('let a command of a hook in, and nobody else', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const wiretype = `${CHECKOUT}bin/wiretype`;
    const { publicKey } = generateKeyPair();
    const hooks = [
      `PreUp = ${wiretype} add-peer wg0 early --public-key ${publicKey} --endpoint vpn.example:51820 > /dev/null`,
      `PostUp = ip address add 10.77.0.1/24 dev %i; env -i PATH="$PATH" ${wiretype} save %i`,
      'PostUp = echo waiting; until test -e /run/go; do sleep 0.1; done',
      `PreDown = setsid -w ${wiretype} save %i; ${wiretype} reload %i`,
    ];
    await client.write(FILE, serverFile(hooks));
    const before = await hostState(client);

    const up = client.start(wiretype, UP);
    await up.says(/^waiting/m);
    const second = await client.wiretype('down', 'wg0');
    await client.run('touch', ['/run/go']);

    assert.equal(await up.exited, 0, up.stderr);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /another command is at work on `wg0'/);
    assert.match(await client.read(FILE), /10\.77\.0\.1\/24/);
    assert.match(await client.run('wg', ['show', 'wg0', 'peers']), new RegExp(publicKey.replace('+', '\\+')));
    const down = await client.wiretype('down', 'wg0');
    assert.equal(down.status, 0, down.stderr);
    assert.equal(await hostState(client), before);
  });

  for (const [what, script] of [
    ["BusyBox's flock", BUSYBOX_FLOCK],
    ['a flock that cannot run', 'exit 127'],
  ] as const) {
    it(`work with ${what}`, { timeout: 240_000 }, async (t) => {
      const { client } = await openClient(t);
      await client.install('flock', script);
      await client.write(FILE, serverFile([]).replace(/AllowedIPs = .*/, 'AllowedIPs = 0.0.0.0/0'));
      const before = await hostState(client);

      for (const call of [UP, ['save', 'wg0'], ['reload', 'wg0'], ['down', 'wg0']]) {
        const { status, stderr } = await client.wiretype(...call);
        assert.equal(status, 0, `${call.join(' ')}: ${stderr}`);
      }
      assert.equal(await hostState(client), before);
    });
  }
});

async function assertPeers(client: Machine, names: readonly string[]): Promise<void> {
  assert.deepEqual(await namesOf(client), [...names].sort());
  const inFile = [...(await client.read(FILE)).matchAll(/^PublicKey = (.*)$/gm)].map(([, key]) => key!);
  const live = (await client.run('wg', ['show', 'wg0', 'peers'])).trim().split('\n');
  assert.deepEqual(live.sort(), inFile.sort());
  assert.equal(live.length, names.length);
}

async function namesOf(client: Machine): Promise<string[]> {
  return [...(await client.read(FILE)).matchAll(/^# Name = (.*)$/gm)].map(([, name]) => name!).sort();
}

function serverFile(lines: readonly string[]): string {
  return [
    '[Interface]',
    'Address = 10.66.0.1/24',
    'ListenPort = 51820',
    `PrivateKey = ${generateKeyPair().privateKey}`,
    ...lines,
    '',
    '[Peer]',
    '# Name = old',
    `PublicKey = ${generateKeyPair().publicKey}`,
    'AllowedIPs = 10.66.0.200/32',
    '',
  ].join('\n');
}

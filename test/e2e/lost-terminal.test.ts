/**
 * A terminal that goes away while a command works: a closed window, a lost SSH connection, `| head`.
 *
 * Topology: test/lab/quick-client.ts, without a server that answers; the demo makes its own.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CHECKOUT } from '../lab/implementation.js';
import { run } from '../lab/program.js';
import { fileWith, hostState, openClient } from '../lab/quick-client.js';
import { waitFor } from '../lab/wait.js';

const PROGRAM = `${CHECKOUT}bin/wiretype`;

/** Forwards SIGHUP, as a shell does when its terminal hangs up. Writes the status of the command to $0. */
const SHELL = '"$@" & trap "kill -HUP $!" HUP; wait $!; wait $!; echo $? > "$0"';

/** Runs $@ behind $1 and $2 on a terminal that goes away once a line matches $1; prints its status. */
const ON_LOST_TERMINAL = `
  pattern=$1 shell=$2; shift 2
  folder=$(mktemp -d)
  export SHELL=/bin/bash
  script -qfc "exec bash -c '$shell' $folder/status $*" "$folder/shown" < /dev/null > /dev/null 2>&1 &
  until grep -qE "$pattern" "$folder/shown" 2> /dev/null; do sleep 0.05; done
  kill -KILL $!
  until test -s "$folder/status"; do sleep 0.05; done
  cat "$folder/status"
  rm -r "$folder"
`;

describe('a terminal that goes away', { concurrency: 2 }, () => {
  it('undoes up, hooks included', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const hooks = ['PostUp = echo waiting; sleep 60', 'PreDown = echo back; echo ran > /run/pre-down'];
    await client.write('/etc/wireguard/wg0.conf', fullTunnel(hooks));
    const before = await hostState(client);

    const status = await client.run('bash', ['-c', ON_LOST_TERMINAL, 'bash', '^waiting', SHELL, PROGRAM, 'up', 'wg0']);

    assert.equal(status, '129\n');
    assert.equal(await client.read('/run/pre-down'), 'ran\n');
    await waitFor('the host as it was', async () => (await hostState(client)) === before);
  });

  for (const lines of [1, 2, 3, 5]) {
    it(`leaves all of an interface or nothing when a reader leaves after line ${lines}`, {
      timeout: 240_000,
    }, async (t) => {
      const { client } = await openClient(t);
      await client.write('/etc/wireguard/wg0.conf', fullTunnel(['PostUp = echo x; ip rule add priority 7 table 7']));
      const before = await hostState(client);

      await client.run('bash', ['-c', `${PROGRAM} up wg0 2>&1 | head -${lines}`]);

      if ((await hostState(client)) === before) return;
      assert.match(await client.run('ip', ['address', 'show', 'wg0']), /UP.*10\.66\.0\.2/s);
      assert.match(await client.run('ip', ['rule']), /lookup 7\n.*suppress_prefixlength 0/s);
      assert.match(await client.run('nft', ['list', 'ruleset']), /wg-quick-wg0/);
    });
  }

  it('ends the proxy, although SIGHUP alone makes it read its files again', { timeout: 120_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write('/etc/wireguard/wg0.conf', fileWith('Address = 10.66.0.2/24'));
    const words = ['proxy', '/etc/wireguard/wg0.conf'];

    const status = await client.run('bash', ['-c', ON_LOST_TERMINAL, 'bash', 'on 127.0.0.1', SHELL, PROGRAM, ...words]);

    assert.equal(status, '0\n');
  });

  it('ends the demo, which leaves nothing', { timeout: 240_000 }, async () => {
    const status = await run('bash', ['-c', ON_LOST_TERMINAL, 'bash', 'ping left', SHELL, PROGRAM, 'demo']);

    assert.equal(status, '141\n');
    assert.doesNotMatch(await run('ip', ['netns', 'list']), /wiretype-demo-/);
  });
});

function fullTunnel(hooks: readonly string[]): string {
  return fileWith(['Address = 10.66.0.2/24', ...hooks].join('\n')).replace('10.0.0.0/8', '0.0.0.0/0');
}

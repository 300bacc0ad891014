/**
 * The demonstration, as `npm run lab` runs it.
 *
 * Topology: the demo makes its own, two namespaces with a cable between them.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';

import { CHECKOUT } from '../lab/implementation.js';
import { attempt, Program, run } from '../lab/program.js';
import { copyReadable } from '../lab/readable-checkout.js';
import { waitFor } from '../lab/wait.js';

const COMMAND = `${CHECKOUT}bin/wiretype`;

describe('demo', () => {
  it('does one round with --once: pings and data each way, then both ends', { timeout: 240_000 }, async () => {
    const demo = new Program(COMMAND, ['demo', '--once']);

    assert.equal(await demo.exited, 0, demo.stderr);

    assert.equal(demo.stdout.match(/ping .* 3 of 3 answered/g)?.length, 4);
    assert.match(demo.stdout, /TCP +left → right 10\.77\.0\.2 .* [MG]bit\/s/);
    assert.match(demo.stdout, /TCP +right → left fd77::1 .* [MG]bit\/s/);
    assert.match(demo.stdout, /\nYou saw two hosts, .*\nNext, .*wiretype init wg0/s);
    assert.ok(demo.stdout.split('\n').every((line) => /^(?:left|right) +peer/.test(line) || [...line].length < 80));
    for (const title of ['left', 'right'])
      assert.match(demo.stdout, new RegExp(`${title} +peer ....….... +handshake .* received`));
    await assertNothingLeft(demo);
  });

  it('shows both ends until Ctrl-C', { timeout: 240_000 }, async () => {
    const demo = new Program(COMMAND, ['demo']);
    await waitFor('three looks', () => (demo.stdout.match(/^right /gm)?.length ?? 0) >= 3);

    assert.equal(await interrupt(demo), 0);

    await assertNothingLeft(demo);
  });

  for (const moment of [/wiretyped/, /ping left/, /ping right/, /TCP/])
    it(`leaves nothing behind when it is interrupted at "${moment.source}"`, { timeout: 120_000 }, async () => {
      const demo = new Program(COMMAND, ['demo']);
      await demo.says(moment);

      assert.equal(await interrupt(demo), 0);

      await assertNothingLeft(demo);
    });

  it('shows programs without root with --proxy: the library, and curl through the proxy', {
    timeout: 240_000,
  }, async () => {
    const demo = new Program(COMMAND, ['demo', '--proxy', '--once']);

    assert.equal(await demo.exited, 0, demo.stderr);

    assert.equal(demo.stdout.match(/^ {2}Hello 10\.77\.0\.2, this is 10\.77\.0\.1/gm)?.length, 3);
    assert.match(demo.stdout, /run as .*, with no capability\n/);
    assert.match(demo.stdout, /\nYou saw two programs .*wiretype proxy wg0\.conf/s);
    assert.ok(demo.stdout.split('\n').every((line) => [...line].length < 96));
    await assertNothingLeft(demo);
  });

  it('goes on with the proxy until Ctrl-C', { timeout: 240_000 }, async () => {
    const demo = new Program(COMMAND, ['demo', '--proxy']);
    await demo.says(/until Ctrl-C/);
    const [, invitation = ''] = /^ {2}(ip netns exec .*)$/m.exec(demo.stdout) ?? [];
    const [program = '', ...words] = invitation.split(' ');
    assert.match(await run(program, words), /^Hello 10\.77\.0\.2/);

    assert.equal(await interrupt(demo), 0);

    await assertNothingLeft(demo);
  });

  it('says what is missing, in a sentence', { timeout: 120_000 }, async (t) => {
    const program = `${await copyReadable(t)}bin/wiretype`;
    const withoutRoot = await attempt('setpriv', ['--reuid=65534', '--clear-groups', program, 'demo']);
    assert.equal(withoutRoot.status, 1);
    assert.match(withoutRoot.stderr, /not run as root/);

    const hidden = `mount -t tmpfs none /dev/net && exec "$0" demo`;
    const withoutTun = await attempt('unshare', ['-m', 'sh', '-c', hidden, COMMAND]);
    assert.equal(withoutTun.status, 1);
    assert.match(withoutTun.stderr, /no \/dev\/net\/tun/);
  });
});

async function interrupt(demo: Program): Promise<number> {
  demo.signal('SIGINT');
  return await demo.exited;
}

async function assertNothingLeft(demo: Program): Promise<void> {
  assert.doesNotMatch(await run('ip', ['netns', 'list']), new RegExp(`wiretype-demo-${demo.pid}-`));
  for (const end of ['l', 'r']) assert.ok(!existsSync(`/var/run/wireguard/demo${demo.pid}${end}.sock`));
  assert.doesNotMatch((await attempt('pgrep', ['-af', `demo${demo.pid}[lr]`])).stdout, /wiretyped/);
}

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';

import { type Backend, chooseBackend, implementationOf, makeInterface } from '../../../src/cli/quick/backend.js';
import type { QuickHost } from '../../../src/cli/quick/quick-host.js';
import type { CommandResult } from '../../../src/host/net/commands.js';

const OTHER = { WG_QUICK_USERSPACE_IMPLEMENTATION: 'other' };
const HAS_MODULE = existsSync('/sys/module/wireguard');
const WHERE = { interfaceName: 'wg0', file: '/etc/wireguard/wg0.conf' };

describe('what makes an interface', () => {
  for (const [option, environment, isStock, triesKernel, program] of [
    [undefined, {}, false, false, /\/bin\/wiretyped$/],
    [undefined, OTHER, false, false, /^other$/],
    [undefined, {}, true, true, /\/bin\/wiretyped$/],
    [undefined, OTHER, true, true, /^other$/],
    ['kernel', OTHER, false, true, undefined],
    ['kernel', OTHER, true, true, undefined],
    ['auto', {}, false, true, /\/bin\/wiretyped$/],
    ['auto', OTHER, false, true, /^other$/],
    ['auto:third', OTHER, true, true, /^third$/],
    ['auto:', {}, true, true, /\/bin\/wiretyped$/],
    ['third', OTHER, true, false, /^third$/],
    [undefined, { WIRETYPE_IMPLEMENTATION: 'kernel' }, false, true, undefined],
    [undefined, { WIRETYPE_IMPLEMENTATION: 'third', ...OTHER }, true, false, /^third$/],
    ['fourth', { WIRETYPE_IMPLEMENTATION: 'third' }, true, false, /^fourth$/],
  ] as const) {
    const name = isStock ? 'wg-quick' : 'wiretype';
    it(`under the name ${name}, with ${option ?? 'no option'} and ${JSON.stringify(environment)}`, () => {
      const backend = chooseBackend(option, environment, isStock);
      assert.equal(backend.triesKernel, triesKernel);
      if (program === undefined) assert.equal(backend.program, undefined);
      else assert.match(backend.program!, program);
    });
  }

  for (const [environment, choice] of [
    [{}, undefined],
    [{ WIRETYPE_IMPLEMENTATION: 'kernel' }, 'kernel'],
    [{ WIRETYPE_IMPLEMENTATION: 'auto' }, 'auto'],
    [{ WIRETYPE_IMPLEMENTATION: '/tmp/third' }, undefined],
    [{ WIRETYPE_IMPLEMENTATION: 'auto:/tmp/third' }, undefined],
    [OTHER, undefined],
  ] as const) {
    it(`is passed on to sudo as ${choice ?? 'nothing'}, never as a program: ${JSON.stringify(environment)}`, () => {
      assert.equal(implementationOf(environment), choice);
    });
  }

  it('is the program where the kernel has no WireGuard, and it is not said', { skip: HAS_MODULE }, async () => {
    const { host, ran, echoed } = fakeHost({ status: 2, stdout: '', stderr: 'Error: Unknown device type.\n' });
    await make(host, { triesKernel: true, program: 'other' });
    assert.deepEqual(ran, [['other', 'wg0']]);
    assert.deepEqual(echoed, ['other wg0']);
  });

  it('is an error where only the kernel may, and has none', { skip: HAS_MODULE }, async () => {
    const { host, ran } = fakeHost({ status: 2, stdout: '', stderr: 'Error: Unknown device type.\n' });
    await assert.rejects(make(host, { triesKernel: true, program: undefined }), {
      code: 'ERR_BACKEND',
      message: 'the kernel has no WireGuard: Error: Unknown device type.',
    });
    assert.deepEqual(ran, []);
  });

  it('is the kernel where it can, and the program is not started', async () => {
    const { host, ran, echoed } = fakeHost({ status: 0, stdout: '', stderr: '' });
    await make(host, { triesKernel: true, program: 'other' });
    assert.deepEqual([ran, echoed], [[], ['ip link add dev wg0 type wireguard']]);
  });
});

async function make(host: QuickHost, backend: Backend): Promise<void> {
  await makeInterface(host, backend, WHERE);
}

/** @param added How `ip link add` ends. */
function fakeHost(added: CommandResult): { host: QuickHost; ran: string[][]; echoed: string[] } {
  const ran: string[][] = [];
  const echoed: string[] = [];
  const host = {
    interruption: new AbortController().signal,
    commands: {
      echo: (words: readonly string[]) => echoed.push(words.join(' ')),
      ask: async (words: readonly string[]) =>
        words.includes('add') ? added : { status: 0, stdout: '[{"mtu":1420}]', stderr: '' },
    },
    runAttached: async (words: readonly string[]) => {
      ran.push([...words]);
      return 0;
    },
  };
  return { host: host as unknown as QuickHost, ran, echoed };
}

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type DaemonOptions, parseDaemonCall } from '../../../src/cli/daemon/options.js';
import { WireGuardError } from '../../../src/core/errors.js';

describe('call of wiretyped', () => {
  it('needs one name of an interface', () => {
    assert.equal(options(['wg0']).interfaceName, 'wg0');
    for (const argv of [[], ['wg0', 'wg1'], ['-f']])
      assert.throws(() => parseDaemonCall(argv, {}), { code: 'ERR_USAGE' }, argv.join(' '));
  });

  it('goes to the background unless told otherwise', () => {
    assert.equal(options(['wg0']).isForeground, false);
    for (const argv of [
      ['-f', 'wg0'],
      ['wg0', '-f'],
      ['--foreground', 'wg0'],
    ])
      assert.equal(options(argv).isForeground, true);
    assert.equal(options(['wg0'], { WG_PROCESS_FOREGROUND: '1' }).isForeground, true);
    assert.equal(options(['wg0'], { WG_PROCESS_FOREGROUND: '0' }).isForeground, false);
  });

  it('asks for help or version without a name', () => {
    for (const flag of ['-h', '--help']) assert.deepEqual(parseDaemonCall([flag], {}), { kind: 'help' });
    for (const flag of ['-V', '--version']) assert.deepEqual(parseDaemonCall([flag], {}), { kind: 'version' });
  });

  it('refuses options that it does not have', () => {
    for (const argv of [
      ['-x', 'wg0'],
      ['--foreground=1', 'wg0'],
      ['--', '-f', 'wg0'],
    ])
      assert.throws(() => parseDaemonCall(argv, {}), { code: 'ERR_USAGE' }, argv.join(' '));
  });

  it('takes descriptors from the environment', () => {
    const { tunDescriptor, uapiDescriptor } = options(['wg0'], { WG_TUN_FD: '3', WG_UAPI_FD: '4' });
    assert.deepEqual({ tunDescriptor, uapiDescriptor }, { tunDescriptor: 3, uapiDescriptor: 4 });
    assert.equal(options(['wg0'], { WG_TUN_FD: '' }).tunDescriptor, undefined);
    for (const text of ['x', '-1', '3 ', '0x3'])
      assert.throws(() => parseDaemonCall(['wg0'], { WG_TUN_FD: text }), { code: 'ERR_USAGE', message: /WG_TUN_FD/ });
  });

  for (const [text, level] of [
    [undefined, 'error'],
    ['', 'error'],
    ['nonsense', 'error'],
    ['silent', 'silent'],
    ['error', 'error'],
    ['info', 'info'],
    ['debug', 'debug'],
    ['verbose', 'debug'],
  ] as const)
    it(`reads LOG_LEVEL ${text} as ${level}`, () => {
      assert.equal(options(['wg0'], { LOG_LEVEL: text }).logLevel, level);
    });
});

describe('WIRETYPE_CRYPTO_THREADS', () => {
  const threads = (text: string): number => options(['wg0'], { WIRETYPE_CRYPTO_THREADS: text }).cryptoThreads;

  it('is a number from 1 to 64', () => {
    for (const text of ['1', '2', '64']) assert.equal(threads(text), Number(text));
    for (const text of ['0', '65', '-1', '2x', '100'])
      assert.throws(() => threads(text), { code: 'ERR_USAGE', message: /WIRETYPE_CRYPTO_THREADS/ });
  });

  it('leaves the work to the loop where there are two cores or fewer, and a core to the others where there are more', () => {
    const cores = availableParallelism();
    assert.equal(threads(''), cores <= 2 ? 1 : Math.min(cores - 1, 4));
  });
});

describe('WIRETYPE_OFFLOADS', () => {
  it('switches offloads off with 0', () => {
    for (const [text, isOffloading] of [
      [undefined, true],
      ['', true],
      ['1', true],
      ['0', false],
    ] as const)
      assert.equal(options(['wg0'], { WIRETYPE_OFFLOADS: text }).isOffloading, isOffloading);
    for (const text of ['2', 'no', ' 0'])
      assert.throws(() => options(['wg0'], { WIRETYPE_OFFLOADS: text }), {
        code: 'ERR_USAGE',
        message: /WIRETYPE_OFFLOADS/,
      });
  });
});

describe('name of an interface', () => {
  it('is anything that the kernel takes', () => {
    for (const name of ['wg0', 'a', 'x'.repeat(15), 'wg-1_2.3=+', '...', 'größe'])
      assert.equal(options([name]).interfaceName, name);
  });

  it('is refused when it is too long, counted in bytes, or has what the kernel refuses', () => {
    for (const name of [
      '',
      'x'.repeat(16),
      'ä'.repeat(8),
      '.',
      '..',
      'a/b',
      'a b',
      'a:b',
      'wg%d',
      'a\tb',
      'a\x1b[m',
      'a\0',
    ])
      assert.throws(() => parseDaemonCall([name], {}), { code: 'ERR_INTERFACE_NAME' }, JSON.stringify(name));
  });

  it('never leads out of the directory of the control sockets, whatever the arguments', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3 }), (argv) => {
        try {
          const call = parseDaemonCall(argv, {});
          assert.ok(call.kind !== 'run' || !/[/\0]|^\.{1,2}$/.test(call.options.interfaceName));
        } catch (error) {
          assert.ok(error instanceof WireGuardError, String(error));
        }
      }),
    );
  });
});

function options(argv: readonly string[], env: NodeJS.ProcessEnv = {}): DaemonOptions {
  const call = parseDaemonCall(argv, env);
  assert.ok(call.kind === 'run');
  return call.options;
}

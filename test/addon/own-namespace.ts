import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { after, type TestOptions } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { endAtOnce } from '../../src/cli/entry.js';

/** Set in the process that is inside, to the file that it is for. */
const MARK = 'WIRETYPE_OWN_NAMESPACE';
const LIMIT_MS = 420_000;
/** A process whose tests are over has closed everything by then. */
const LINGERS_MS = 30_000;

/**
 * Defines tests that change the network: the file runs again in a fresh network namespace, which goes with its process.
 *
 * The caller calls `it` itself, since the runner notes the file of that call as the file of a failure.
 *
 * @param url `import.meta.url` of the test file.
 * @param define Called inside, where it defines the tests.
 * @returns The arguments of `it`.
 */
export function inOwnNamespace(url: string, define: () => void): [string, TestOptions, () => void | Promise<void>] {
  if (process.env[MARK] === url) {
    ip('link set lo up');
    after(() => {
      setTimeout(failWithReason, LINGERS_MS).unref();
      process.once('exit', endAtOnce);
    });
    define();
    return ['are in a network namespace of their own', {}, () => assert.notEqual(netOf('self'), netOf(process.ppid))];
  }
  const inOuter = async (): Promise<void> => {
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const options = { env: { ...environment, [MARK]: url }, timeout: LIMIT_MS, maxBuffer: 16 << 20 };
    const inside = ['--net', process.execPath, ...process.execArgv, '--test-reporter=spec', fileURLToPath(url)];
    await promisify(execFile)('unshare', inside, options).catch((error) => {
      // The reporter repeats at the end what failed.
      const failed = error.stdout.slice(Math.max(0, error.stdout.indexOf('failing tests:')));
      assert.fail(`${error.message.split('\n', 1)[0]}\n${failed}${error.stderr}`);
    });
  };
  return ['pass in a network namespace of their own', { skip: whyNot() ?? false, timeout: LIMIT_MS + 5_000 }, inOuter];
}

/** Ends a process that something keeps alive after its tests, and says what. */
function failWithReason(): void {
  process.stderr.write(`the tests are over, and the process goes on: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit(1);
}

/** Runs `ip` with words that are separated by spaces. */
export function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Makes a network namespace; the function that is returned removes it with all that is in it. */
export function addNamespace(suffix: string): { name: string; remove: () => void } {
  const name = `wiretype-${process.pid}-${suffix}`;
  ip(`netns add ${name}`);
  ip(`-n ${name} link set lo up`);
  return { name, remove: () => ip(`netns del ${name}`) };
}

function netOf(process: number | 'self'): string {
  return readlinkSync(`/proc/${process}/ns/net`);
}

function whyNot(): string | undefined {
  if (process.getuid!() !== 0) return 'needs root';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  return spawnSync('unshare', ['--net', 'true']).status === 0 ? undefined : 'network namespaces may not be made here';
}

/**
 * Runs tests on arm64: Node for arm64, under qemu's emulation of its system calls, with the addon
 * compiled as for the package, and the functions that only tests call.
 *
 *     node scripts/arm64.mjs [PART | FOLDER…]        default: the parts close to the processor
 *
 * A machine with another processor cannot start Node directly, nor programs that tests start by `process.execPath`: a
 * script that calls the emulator replaces both.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { installNode } from './node-package.mjs';
import { compileTarget, TARGETS } from './targets.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIBRARIES = '/usr/aarch64-linux-gnu';
const NODE_VERSION = '22';
/** Features that the emulator lacks: SO_MARK, SO_NETNS_COOKIE, the ancillary data of NETLINK_LISTEN_ALL_NSID, and seccomp. */
const BEYOND_THE_EMULATOR = [
  'differs between two network namespaces, also where the second takes the place of the first',
  'refuses to start programs, in all threads, and leaves the rest to the process',
  'may be called twice, and lets a tunnel open its descriptors and keys',
  'sets and clears the firewall mark',
  'Marked sockets',
  'survives a move to another namespace: packets, MTU, link state and removal are seen there',
];

/** The parts to test. The other parts depend on no processor, and would take long. */
const PARTS = ['wire', 'crypto', 'core', 'host', 'addon', 'conformance'];

const parts = process.argv.length > 2 ? process.argv.slice(2) : PARTS;
const folder = mkdtempSync(join(tmpdir(), 'wiretype-arm64-'));
try {
  const node = writeEmulatedNode(installNode(folder, NODE_VERSION, 'arm64'));
  await compileAddon();
  const { status } = spawnSync(node, [join(ROOT, 'scripts/test.mjs'), ...parts], {
    cwd: ROOT,
    // Everything takes ten times as long and more.
    env: { ...process.env, WIRETYPE_PREBUILD: folder, TEST_TIME_FACTOR: '4' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compileAddon() {
  const target = TARGETS.find(({ name }) => name === 'linux-arm64-glibc');
  const output = join(folder, 'build/wiretype.node');
  const failure = await compileTarget(target, { output, hasTestHooks: true });
  if (failure !== undefined) throw new Error(failure);
}

/** @returns The path of a script that behaves as Node for this processor would. */
function writeEmulatedNode(program) {
  const script = join(folder, 'node');
  const preload = join(folder, 'exec-path.cjs');
  const skipped = BEYOND_THE_EMULATOR.map((title) => `--test-skip-pattern='${title}'`).join(' ');
  writeFileSync(preload, `process.execPath = ${JSON.stringify(script)};\n`);
  const words = `qemu-aarch64 -L ${LIBRARIES} ${program} --require ${preload} ${skipped}`;
  writeFileSync(script, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  return script;
}

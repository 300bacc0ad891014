/**
 * Builds the image of `Dockerfile` and runs `compose.yaml`, by podman and without a registry of images: a server in a
 * container and a client in a network namespace, which then reaches the server through the tunnel. Needs root.
 *
 *     node scripts/docker.mjs
 *
 * ```text
 * client 203.0.113.2 ──── eth0 203.0.113.1 container
 * ```
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { makeBase } from './docker-base.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PATIENCE_MS = 60_000;
const INTERFACE = `wtd${process.pid}`;
const [SERVER, CLIENT] = ['server', 'client'].map((end) => `wiretype-docker-${process.pid}-${end}`);
const ADDRESSES = { [SERVER]: '203.0.113.1', [CLIENT]: '203.0.113.2' };
const CONTAINER = 'docker-test_wiretype_1';

// Ctrl-C ends the program that runs; its failure ends this one, which cleans up first.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});

const folder = mkdtempSync(join(tmpdir(), 'wiretype-docker-'));
const podman = join(folder, 'podman');
const project = join(folder, 'project');
try {
  connectNamespaces();
  writePodman();
  step('the base image: Debian and Node');
  const { root, image } = makeBase(folder);
  run('sh', ['-c', 'tar -C "$0" -c . | "$1" import -q - "$2"', root, podman, image]);
  step('Dockerfile');
  run(podman, ['build', '--pull=never', '--isolation=chroot', '--format=docker', '-t', 'wiretype', ROOT]);
  await testContainer();
  step('the image is built, runs, carries traffic and stops cleanly');
} finally {
  spawnSync(podman, ['rm', '--all', '--force', '--time', '0'], { stdio: 'ignore' });
  for (const name of [SERVER, CLIENT]) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  spawnSync(podman, ['unmount', '--all'], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
}

async function testContainer() {
  step('compose.yaml');
  mkdirSync(project);
  writeFileSync(join(project, 'compose.yaml'), readFileSync(join(ROOT, 'compose.yaml')));
  compose('up', '-d', '--no-build');
  const logs = () => run('sh', ['-c', '"$0" logs "$1" 2>&1', podman, CONTAINER]);
  await waitFor('the interface in the container', () => /wg0 is up/.test(logs()));

  step('a client');
  const config = inContainer('wiretype', 'add-peer', 'wg0', 'laptop');
  const file = join(folder, `${INTERFACE}.conf`);
  writeFileSync(file, config, { mode: 0o600 });
  const [serverAddress] = /(?<=^Address = )[\d.]+/m.exec(inContainer('cat', '/etc/wireguard/wg0.conf'));
  run('ip', ['netns', 'exec', CLIENT, join(ROOT, 'bin/wiretype'), 'up', file]);
  try {
    await waitFor('an answer through the tunnel', () =>
      succeeds('ip', ['netns', 'exec', CLIENT, 'ping', '-c', '1', '-W', '1', serverAddress]),
    );
  } finally {
    run('ip', ['netns', 'exec', CLIENT, join(ROOT, 'bin/wiretype'), 'down', file]);
  }

  step('the end of the container');
  run(podman, ['stop', '--time', '20', CONTAINER]);
  if (!/ip link delete dev wg0/.test(logs())) throw new Error(`the interface was not taken down:\n${logs()}`);
}

function connectNamespaces() {
  for (const name of [SERVER, CLIENT]) run('ip', ['netns', 'add', name]);
  run('ip', ['-n', SERVER, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', CLIENT]);
  for (const name of [SERVER, CLIENT]) {
    run('ip', ['-n', name, 'address', 'add', `${ADDRESSES[name]}/24`, 'dev', 'eth0']);
    for (const link of ['lo', 'eth0']) run('ip', ['-n', name, 'link', 'set', link, 'up']);
  }
  run('ip', ['-n', SERVER, 'route', 'add', 'default', 'via', ADDRESSES[CLIENT]]);
}

/**
 * Writes a podman with storage of its own. The namespace replaces the networks and ports of the compose file; the
 * limits of resources are the limits of this machine, which cannot always be raised.
 */
function writePodman() {
  const storage = `--root ${folder}/storage --runroot ${folder}/run --cgroup-manager cgroupfs --runtime runc`;
  writeFileSync(
    podman,
    `#!/bin/bash
case "$1" in
  network) exit 0 ;;
  run)
    words=()
    while [[ $# -gt 0 ]]; do
      case "$1" in --net|--network|--network-alias|-p) shift 2 ;; *) words+=("$1"); shift ;; esac
    done
    set -- run --network ns:/run/netns/${SERVER} --ulimit nofile=1024:1024 --ulimit nproc=4000:4000 "\${words[@]:1}" ;;
esac
exec podman ${storage} "$@"
`,
    { mode: 0o755 },
  );
}

function compose(...words) {
  const command = ['podman-compose', '--podman-path', podman, '-p', 'docker-test', ...words];
  return run('sh', ['-c', 'cd "$0" && exec "$@"', project, ...command], { WIRETYPE_ENDPOINT: ADDRESSES[SERVER] });
}

function inContainer(...words) {
  return run(podman, ['exec', CONTAINER, ...words]);
}

async function waitFor(what, isDone) {
  const endMs = Date.now() + PATIENCE_MS;
  while (!isDone()) {
    if (Date.now() > endMs) throw new Error(`Waited in vain for ${what}`);
    await pause(500);
  }
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function run(command, args, env = {}) {
  const options = { cwd: ROOT, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 1 << 26 };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${error?.message ?? ''}${stdout}${stderr}`);
  return stdout;
}

function step(text) {
  process.stdout.write(`docker: ${text}\n`);
}

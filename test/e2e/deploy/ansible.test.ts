/** The role for Ansible, played on a machine of its own: what it changes, that it changes it once, and that it works. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { CHECKOUT } from '../../lab/implementation.js';
import { type Program, run } from '../../lab/program.js';
import { runtimeDependencies } from '../../lab/readable-checkout.js';
import { waitFor } from '../../lab/wait.js';
import { OwnFiles } from './own-files.js';

const TIMEOUT = { timeout: 300_000 };
const PLAY_MS = 120_000;
const INVITATION = /wiretype-invite:[\w-]+/;
const UNITS = '/etc/systemd/system';
const HUB_STATE = '/var/lib/wiretype/hub';
const NODE_STATE = '/var/lib/wiretype/mesh/home/node.json';
const ROLE = `${CHECKOUT}deploy/ansible/roles/wiretype`;
const SQLITE = `${CHECKOUT}node_modules/@photostructure/sqlite`;
const HUB = { wiretype_is: 'hub', wiretype_hub_endpoint: '127.0.0.1:51820' };
const AGENT = { wiretype_is: 'agent', wiretype_name: 'server' };
/** A stand-in for systemctl, as far as Ansible asks. It notes what changes something in `/var/calls`. */
const SYSTEMCTL = `#!/bin/sh
touch /var/calls
for word; do case $word in
  show) echo LoadState=loaded; test -e /var/active && echo ActiveState=active || echo ActiveState=inactive;;
  is-enabled) test -e /var/enabled && echo enabled || { echo disabled; exit 1; };;
  is-active) test -e /var/active && echo active || { echo inactive; exit 3; };;
  enable) touch /var/enabled; echo enable >> /var/calls;;
  start | restart) touch /var/active; echo $word >> /var/calls;;
  daemon-reload) echo daemon-reload >> /var/calls;;
esac; done
`;
const SYSTEMCTL_PATH = '/usr/bin/systemctl';
const isMissing = spawnSync('ansible-playbook', ['--version']).status !== 0 && 'needs ansible-core';

describe('the role for Ansible', { skip: isMissing }, () => {
  let folder: string;
  let packages: { wiretype: string; sqlite: string };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-ansible-'));
    packages = await packWithDependencies(folder);
  }, TIMEOUT);
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('installs a hub, and makes a host a node by an invitation that is nowhere to be read', TIMEOUT, async (t) => {
    const machine = await OwnFiles.create(t);
    await t.test('installs a hub once, and starts its service once more when it has changed', () =>
      hubIsPlayed(machine),
    );
    await makeHubFolder(machine);
    let hub = await startHub(machine);
    const invitation = INVITATION.exec(hub.stdout)![0];
    // The second start goes on with the network of the first, and its journal gets no invitation.
    await hub.stop();
    hub = await startHub(machine);
    try {
      assert.match(hub.stdout, /This makes an invitation: wiretype mesh invite/);
      assert.doesNotMatch(hub.stdout, INVITATION);
      assert.equal(await machine.run('curl', ['-s', 'http://127.0.0.1:8081/healthz']), 'ok\n');
      await t.test('makes no node without a good invitation', () => agentIsRefused(machine));
      await t.test('makes a host a node once', () => agentIsPlayed(machine, invitation));
    } finally {
      await hub.stop();
    }
  });

  it('refuses variables that a shell or systemd would read otherwise', TIMEOUT, async (t) => {
    const machine = await OwnFiles.create(t);
    const wrong = {
      network: { wiretype_network: 'Home network' },
      endpoint: { wiretype_hub_endpoint: '' },
      option: { wiretype_hub_options: ["'; reboot"] },
      page: { wiretype_hub_page: '$HOME' },
      kind: { wiretype_is: 'server' },
    };

    const { status, text } = await play(machine, HUB, [], wrong);

    assert.notEqual(status, 0, text);
    assert.equal(text.match(/A variable is wrong/g)?.length, Object.keys(wrong).length, text);
    for (const name of Object.keys(wrong)) assert.match(text, new RegExp(`\\[${name}\\]: FAILED!`));
    assert.deepEqual(await machine.changed(), []);
  });

  it('installs the SQLite that the program asks for where Node has none', () => {
    const [wanted] = /@photostructure\/sqlite@[\d.]+/.exec(readFileSync('src/store/store-errors.ts', 'utf8'))!;

    assert.ok(readFileSync(`${ROLE}/defaults/main.yml`, 'utf8').includes(`wiretype_sqlite: "${wanted}"`));
  });

  it('has an example that Ansible can read', TIMEOUT, async (t) => {
    const machine = await OwnFiles.create(t);
    const words = ['--inventory', `${CHECKOUT}deploy/ansible/inventory`, `${CHECKOUT}deploy/ansible/playbook.yml`];

    const tasks = await machine.run('ansible-playbook', [...words, '--list-tasks'], { env: environment() });

    assert.match(tasks, /Make an invitation[\s\S]*wiretype : Use the invitation/);
  });

  async function hubIsPlayed(machine: OwnFiles): Promise<void> {
    await machine.run('sh', ['-c', 'rm $0 && cat > $0 && chmod 755 $0', SYSTEMCTL_PATH], { input: SYSTEMCTL });
    const variables = { ...HUB, wiretype_manage_services: true };
    const calls = async (): Promise<string[]> =>
      (await machine.run('sh', ['-c', 'cat /var/calls; rm -f /var/calls'])).split('\n').filter(Boolean);

    const first = await play(machine, variables);
    assert.equal(first.status, 0, first.text);
    assert.ok(first.changes > 0);
    assert.deepEqual(await calls(), ['daemon-reload', 'start', 'enable']);
    assert.deepEqual((await machine.changed()).filter(isOfRole), [
      `${UNITS}/wiretype-hub.service`,
      `${UNITS}/wiretype-hub.service.d/ansible.conf`,
      '/usr/local/bin/wiretype',
      '/usr/local/bin/wiretyped',
      '/usr/local/lib/wiretype-package.tgz',
    ]);

    const second = await play(machine, variables);
    assert.deepEqual([second.status, second.changes], [0, 0], second.text);
    assert.deepEqual(await calls(), []);

    const options = { wiretype_hub_page: '127.0.0.1:8081', wiretype_hub_options: ['--host-name', 'hub.example.net'] };
    const other = await play(machine, { ...variables, ...options });
    assert.deepEqual([other.status, other.changes], [0, 2], 'the options, and the restart');
    assert.deepEqual(await calls(), ['daemon-reload', 'restart']);
    assert.match(await machine.read(`${UNITS}/wiretype-hub.service.d/ansible.conf`), /--host-name hub\.example\.net/);
    await verifyUnit(machine, 'wiretype-hub.service');
  }

  async function agentIsRefused(machine: OwnFiles): Promise<void> {
    const wrong = 'wiretype-invite:AAAA';

    const { status, text } = await play(machine, AGENT, [], { without: {}, wrong: { wiretype_invitation: wrong } });

    assert.notEqual(status, 0);
    assert.match(text, /without is not in home yet: wiretype_invitation is needed/);
    assert.match(text, /ERR_INVITATION/);
    assert.ok(!text.includes(wrong));
    assert.deepEqual(await secretFiles(machine), []);
  }

  async function agentIsPlayed(machine: OwnFiles, invitation: string): Promise<void> {
    const first = await play(machine, { ...AGENT, wiretype_invitation: invitation }, ['-vvv', '--diff']);
    assert.equal(first.status, 0, first.text);
    assert.ok(!first.text.includes(invitation));
    assert.deepEqual(await secretFiles(machine), []);
    assert.equal((await machine.run('stat', ['-c', '%a', NODE_STATE])).trim(), '600');
    assert.equal(JSON.parse(await machine.read(NODE_STATE)).name, 'server');

    const second = await play(machine, AGENT);
    assert.deepEqual([second.status, second.changes], [0, 0], second.text);

    await verifyUnit(machine, 'wiretype-mesh@home.service');
    const agent = await startUnit(machine, 'wiretype-mesh@home.service', []);
    await waitFor('the hub at the agent', async () => {
      const { status, stdout } = await machine.attempt('wiretype', ['mesh', 'status', '--json']);
      return status === 0 && JSON.parse(stdout).hub.isConnected === true;
    });
    await agent.stop();
  }

  /**
   * Plays the role on the machine, once for each host with its own variables: a play is cheaper than a start of Ansible. Services are
   * left alone unless `variables` says otherwise: systemd does not run in the machine.
   */
  async function play(
    machine: OwnFiles,
    variables: object,
    words: readonly string[] = [],
    hosts: Readonly<Record<string, object>> = { localhost: {} },
  ): Promise<{ status: number; changes: number; text: string }> {
    const local = { ansible_connection: 'local', ansible_python_interpreter: '/usr/bin/python3' };
    const given = {
      wiretype_package: packages.wiretype,
      wiretype_sqlite: packages.sqlite,
      wiretype_manage_services: false,
      ...variables,
    };
    const entries = Object.entries(hosts).map(([name, own]) => [name, { ...local, ...given, ...own }]);
    const inventory = { all: { hosts: Object.fromEntries(entries) } };
    writeFileSync(join(folder, 'hosts.json'), JSON.stringify(inventory), { mode: 0o600 });
    writeFileSync(
      join(folder, 'play.yml'),
      JSON.stringify([{ hosts: 'all', gather_facts: false, roles: ['wiretype'] }]),
    );
    const args = ['-i', join(folder, 'hosts.json'), ...words, join(folder, 'play.yml')];
    const result = await machine.attempt('ansible-playbook', args, { env: environment(), timeoutMs: PLAY_MS });
    const text = result.stdout + result.stderr;
    return { status: result.status, changes: Number(/changed=(\d+)/.exec(text)?.[1]), text };
  }

  /** Nothing of Ansible's or npm's own in the home folder, and nothing from the network. */
  function environment(): Record<string, string> {
    return {
      ANSIBLE_HOME: join(folder, 'home'),
      ANSIBLE_LOCAL_TEMP: join(folder, 'temporary'),
      ANSIBLE_REMOTE_TEMP: join(folder, 'temporary'),
      ANSIBLE_ROLES_PATH: `${CHECKOUT}deploy/ansible/roles`,
      ANSIBLE_NOCOLOR: '1',
      ANSIBLE_PIPELINING: '1',
      npm_config_cache: join(folder, 'npm'),
      npm_config_logs_max: '0',
      npm_config_offline: 'true',
    };
  }
});

/** Makes tarballs that install without a registry. @returns Their paths. */
async function packWithDependencies(folder: string): Promise<{ wiretype: string; sqlite: string }> {
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { timeoutMs: PLAY_MS });
  await run('sh', ['-c', 'cd "$0" && tar -xzf wiretype-*.tgz && rm wiretype-*.tgz', folder]);
  const inside = join(folder, 'package');
  copyInto(inside, ['build/wiretype.node', ...runtimeDependencies()]);
  const wiretype = await packBundle(inside, join(folder, 'wiretype.tgz'));
  rmSync(inside, { recursive: true });

  const others = new RegExp(`/(?:(?!${process.platform}-${process.arch})(?:darwin|linux|win32)-\\w+|src)$`);
  cpSync(SQLITE, inside, { recursive: true, filter: (path) => !others.test(path) });
  copyInto(inside, ['node_modules/node-addon-api', 'node_modules/node-gyp-build']);
  const sqlite = await packBundle(inside, join(folder, 'sqlite.tgz'));
  rmSync(inside, { recursive: true });
  return { wiretype, sqlite };
}

function copyInto(folder: string, paths: readonly string[]): void {
  for (const path of paths) cpSync(join(CHECKOUT, path), join(folder, path), { recursive: true });
}

async function packBundle(folder: string, tarball: string): Promise<string> {
  const path = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...manifest, bundleDependencies: Object.keys(manifest.dependencies) }));
  await run('tar', ['-I', 'gzip -1', '-cf', tarball, '-C', dirname(folder), basename(folder)]);
  return tarball;
}

/** Whether a file is none of npm's, and none of the stand-in for systemctl. */
function isOfRole(path: string): boolean {
  const others = ['/var/active', '/var/enabled', SYSTEMCTL_PATH];
  return !others.includes(path) && !/^\/usr\/local\/(?:lib\/node_modules|share\/man)\//.test(path);
}

/** Lists what is left of an invitation. */
async function secretFiles(machine: OwnFiles): Promise<string[]> {
  return (await machine.changed()).filter((path) => path.startsWith('/etc/wiretype/'));
}

async function makeHubFolder(machine: OwnFiles): Promise<void> {
  await machine.run('install', ['-d', '-m', '700', '-o', 'nobody', '-g', 'nogroup', HUB_STATE]);
}

/** Starts the hub as its unit does: as a user without a capability. */
async function startHub(machine: OwnFiles): Promise<Program> {
  const user = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
  const hub = await startUnit(machine, 'wiretype-hub.service', user);
  await hub.says(/wiretype mesh invite/);
  return hub;
}

/** Runs the last ExecStart of a unit and its drop-in, with the capabilities of the unit alone. */
async function startUnit(machine: OwnFiles, name: string, user: readonly string[]): Promise<Program> {
  const unit = await machine.read(`${UNITS}/${name.replace(/@.*\./, '@.')}`);
  const dropIn = await machine.read(`${UNITS}/${name}.d/ansible.conf`);
  const command = [...dropIn.matchAll(/^ExecStart=(.+)$/gm)].at(-1)![1]!.replaceAll('%i', 'home');
  const bounding = /^CapabilityBoundingSet=(.*)$/m.exec(unit)![1]!.split(' ').filter(Boolean);
  const kept = bounding.map((capability) => `+${capability.replace('CAP_', '').toLowerCase()}`);
  const limits = [`--bounding-set=${['-all', ...kept].join(',')}`, '--inh-caps=-all', '--no-new-privs'];
  return machine.start('setpriv', [...user, ...limits, 'sh', '-c', `exec ${command}`]);
}

async function verifyUnit(machine: OwnFiles, name: string): Promise<void> {
  const { stdout, stderr } = await machine.attempt('systemd-analyze', ['verify', `${UNITS}/${name}`]);
  assert.deepEqual(
    `${stdout}${stderr}`.split('\n').filter((line) => line.includes('wiretype')),
    [],
  );
}

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
const isMissing = spawnSync('ansible-playbook', ['--version']).status !== 0 && 'needs ansible-core';

describe('the role for Ansible', { skip: isMissing }, () => {
  let folder: string;
  let packages: { wiretype: string; sqlite: string };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-ansible-'));
    packages = await packWithDependencies(folder);
  }, TIMEOUT);
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('installs a hub, and changes nothing the second time', TIMEOUT, async (t) => {
    const machine = await OwnFiles.create(t);

    const first = await play(machine, HUB);
    assert.equal(first.status, 0, first.text);
    assert.ok(first.changes > 0);
    const outside = (path: string): boolean => !/^\/usr\/local\/(?:lib\/node_modules|share\/man)\//.test(path);
    assert.deepEqual((await machine.changed()).filter(outside), [
      `${UNITS}/wiretype-hub.service`,
      `${UNITS}/wiretype-hub.service.d/ansible.conf`,
      '/usr/local/bin/wiretype',
      '/usr/local/bin/wiretyped',
      '/usr/local/lib/wiretype-package.tgz',
    ]);

    const second = await play(machine, HUB);
    assert.deepEqual([second.status, second.changes], [0, 0], second.text);

    const other = await play(machine, { ...HUB, wiretype_hub_options: ['--host-name', 'hub.example.net'] });
    assert.equal(other.changes, 1, other.text);
    assert.match(await machine.read(`${UNITS}/wiretype-hub.service.d/ansible.conf`), /--host-name hub\.example\.net/);
    await verifyUnit(machine, 'wiretype-hub.service');
  });

  it('makes a host a node by an invitation that is nowhere to be read, once', TIMEOUT, async (t) => {
    const machine = await OwnFiles.create(t);
    assert.equal((await play(machine, HUB)).status, 0);
    await makeHubFolder(machine);
    let hub = await startHub(machine);
    const invitation = INVITATION.exec(hub.stdout)![0];
    // The second start goes on with the network of the first, and its journal gets no invitation.
    await hub.stop();
    hub = await startHub(machine);
    try {
      assert.match(hub.stdout, /This makes an invitation: wiretype mesh invite/);
      assert.doesNotMatch(hub.stdout, INVITATION);
      assert.equal(await machine.run('curl', ['-s', 'http://127.0.0.1:8080/healthz']), 'ok\n');

      const without = await play(machine, AGENT);
      assert.notEqual(without.status, 0);
      assert.match(without.text, /localhost is not in home yet: wiretype_invitation is needed/);

      const wrong = 'wiretype-invite:AAAA';
      const refused = await play(machine, { ...AGENT, wiretype_invitation: wrong });
      assert.notEqual(refused.status, 0);
      assert.match(refused.text, /ERR_INVITATION/);
      assert.ok(!refused.text.includes(wrong));
      assert.deepEqual(await secretFiles(machine), []);

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
    } finally {
      await hub.stop();
    }
  });

  it('starts a service that has changed, once, and leaves it alone otherwise', TIMEOUT, async (t) => {
    const machine = await OwnFiles.create(t);
    await machine.run(
      'sh',
      ['-c', 'rm -f /usr/bin/systemctl && cat > /usr/bin/systemctl && chmod 755 /usr/bin/systemctl'],
      {
        input: SYSTEMCTL,
      },
    );
    const callsOf = async (variables: object): Promise<string[]> => {
      const { status, text } = await play(machine, { ...HUB, wiretype_manage_services: true, ...variables });
      assert.equal(status, 0, text);
      return (await machine.run('sh', ['-c', 'cat /var/calls; rm -f /var/calls'])).split('\n').filter(Boolean);
    };

    assert.deepEqual(await callsOf({}), ['daemon-reload', 'start', 'enable']);
    assert.deepEqual(await callsOf({}), []);
    assert.deepEqual(await callsOf({ wiretype_hub_page: '127.0.0.1:8081' }), ['daemon-reload', 'restart']);
  });

  it('refuses variables that a shell or systemd would read otherwise', TIMEOUT, async (t) => {
    const machine = await OwnFiles.create(t);

    for (const wrong of [
      { wiretype_network: 'Home network' },
      { wiretype_hub_endpoint: '' },
      { wiretype_hub_options: ["'; reboot"] },
      { wiretype_hub_page: '$HOME' },
      { wiretype_is: 'server' },
    ]) {
      const { status, text } = await play(machine, { ...HUB, ...wrong });
      assert.notEqual(status, 0, text);
      assert.match(text, /A variable is wrong/);
    }
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

  /** Plays the role on `localhost`. Services are left alone: systemd does not run in the machine. */
  async function play(
    machine: OwnFiles,
    variables: object,
    words: readonly string[] = [],
  ): Promise<{ status: number; changes: number; text: string }> {
    const given = {
      wiretype_package: packages.wiretype,
      wiretype_sqlite: packages.sqlite,
      wiretype_manage_services: false,
      ...variables,
    };
    writeFileSync(join(folder, 'variables.json'), JSON.stringify(given), { mode: 0o600 });
    writeFileSync(
      join(folder, 'play.yml'),
      JSON.stringify([{ hosts: 'localhost', gather_facts: false, roles: ['wiretype'] }]),
    );
    const inventory = 'localhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n';
    writeFileSync(join(folder, 'hosts'), inventory);
    const args = ['-i', join(folder, 'hosts'), '-e', `@${join(folder, 'variables.json')}`, ...words];
    const result = await machine.attempt('ansible-playbook', [...args, join(folder, 'play.yml')], {
      env: environment(),
      timeoutMs: PLAY_MS,
    });
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

  const others = /\/(?:(?:darwin|win32)-\w+|src)$/;
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
  await run('tar', ['-czf', tarball, '-C', dirname(folder), basename(folder)]);
  return tarball;
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

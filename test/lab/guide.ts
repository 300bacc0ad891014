/** A guide of docs/guides, followed by its own words on the machines of the laboratory. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type GuideStep, parseGuide } from './guide-steps.js';
import { CHECKOUT, subject, wiretype } from './implementation.js';
import type { Machine } from './machine.js';

/** Hosts by the name that the guide gives them. */
export type Machines = Readonly<Record<string, Machine>>;

/** Names that machines find each other by, besides their titles. */
export interface HostName {
  readonly name: string;
  readonly machine: Machine;
  readonly address: string;
}

export class Guide {
  readonly title: string;
  readonly #machines: Machines;
  readonly #steps: GuideStep[];

  /** @param name Of the file in docs/guides, without its ending. */
  constructor(name: string, machines: Machines) {
    this.title = `docs/guides/${name}.md`;
    this.#machines = machines;
    this.#steps = parseGuide(readFileSync(join(CHECKOUT, this.title), 'utf8'));
  }

  /**
   * Does everything that a section says. Sections come in the order of the guide, and none is left out.
   *
   * @returns What the commands wrote to standard output, in order.
   */
  async follow(section: string): Promise<string> {
    assert.equal(this.#steps[0]?.section, section, `the next section of ${this.title}`);
    let said = '';
    while (this.#steps[0]?.section === section) said += await this.#take(this.#steps.shift()!);
    return said;
  }

  /** Nothing in the guide was left untried. */
  assertFollowed(): void {
    assert.deepEqual(
      this.#steps.map(({ section }) => section),
      [],
    );
  }

  async #take({ machine: name, path, text, line }: GuideStep): Promise<string> {
    const machine = this.#machines[name] ?? assert.fail(`${this.title}:${line}: there is no host ${name}`);
    if (path === undefined) return await typeCommands(machine, text, `${this.title}:${line}`);
    await machine.write(path, text, '644');
    return '';
  }
}

/** Commands as root types them after logging in. @param place For the message when one fails. */
export async function typeCommands(machine: Machine, text: string, place = 'command'): Promise<string> {
  const env = {
    HOME: homeOf(machine),
    ...subject.env,
    ...(subject.command === wiretype.command ? {} : { WG_QUICK_USERSPACE_IMPLEMENTATION: subject.command }),
  };
  const args = ['-euo', 'pipefail', '-c', `cd\n${text}`];
  const { status, stdout, stderr } = await machine.attempt('bash', args, { env });
  assert.equal(status, 0, `${place}\n${text}${stdout}${stderr}`);
  return stdout;
}

/** Gives machines what a reader of a guide has: the programs, a home, names for each other, ssh and scp. */
export async function furnish(machines: Machines, names: readonly HostName[]): Promise<void> {
  const hosts = ['127.0.0.1 localhost', ...names.map(({ address, name }) => `${address} ${name}`), ''].join('\n');
  const accounts = [...Object.entries(machines), ...names.map(({ name, machine }) => [name, machine] as const)];
  const ssh = sshScript(accounts);
  for (const machine of Object.values(machines)) {
    await machine.run('mkdir', ['-m', '700', homeOf(machine)]);
    for (const program of ['wiretype', 'wiretyped'])
      await machine.run('ln', ['-s', `${CHECKOUT}bin/${program}`, join(machine.programs, program)]);
    await machine.install('ssh', ssh);
    await machine.install('scp', SCP_SCRIPT);
    await machine.write('/etc/hosts', hosts, '644');
    await machine.write('/etc/nsswitch.conf', 'hosts: files dns\n', '644');
  }
}

function homeOf(machine: Machine): string {
  return join(dirname(machine.programs), 'home');
}

/** `ssh [root@]HOST COMMAND…`, by the way that machines have anyway. */
function sshScript(accounts: readonly (readonly [string, Machine])[]): string {
  const cases = accounts.map(([name, machine]) => {
    const path = `${machine.programs}:$PATH`;
    return `${name}|root@${name}) pid=${machine.pid} home=${homeOf(machine)} path="${path}" ;;`;
  });
  return [
    'case $1 in',
    ...cases,
    '*) echo "ssh: unknown host $1" >&2; exit 255 ;;',
    'esac',
    'shift',
    'exec nsenter -t $pid -m -n -- env HOME=$home PATH="$path" bash -c "cd; $*"',
  ].join('\n');
}

/** `scp [root@]HOST:FILE FILE`. Our files are for their owner only, and so are their copies. */
const SCP_SCRIPT = 'umask 077; IFS=: read -r host path <<< "$1"; ssh "$host" cat "$path" > "$2"';

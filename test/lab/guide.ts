/** A guide of docs/guides, followed by its own words on the machines of the laboratory. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { missingLine } from './guide-output.js';
import { type GuideStep, parseGuide } from './guide-steps.js';
import { CHECKOUT, subject, wiretype } from './implementation.js';
import type { Machine } from './machine.js';
import type { Program } from './program.js';
import { waitFor } from './wait.js';

/** Hosts by the name that the guide gives them. */
export type Machines = Readonly<Record<string, Machine>>;

/** Names that machines find each other by, besides their titles. */
export interface HostName {
  readonly name: string;
  readonly machine: Machine;
  readonly address: string;
}

/** Stands in a guide for the text that the reader was given last. */
const INVITATION = /wiretype-invite:TEXT/g;
const LAST_INVITATION = /wiretype-invite:[\w-]{100,}/g;

export class Guide {
  readonly title: string;
  readonly #machines: Machines;
  readonly #steps: GuideStep[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #terminals = new Map<string, Program>();
  #invitation = '';

  /** @param name Of the file in docs/guides, without its ending. @param environment What the reader has set up elsewhere. */
  constructor(name: string, machines: Machines, environment: Readonly<Record<string, string>> = {}) {
    this.#environment = environment;
    this.title = `docs/guides/${name}.md`;
    this.#machines = machines;
    this.#steps = parseGuide(readFileSync(join(CHECKOUT, this.title), 'utf8'));
  }

  /** Leaves a section out, for readers that it is not for. */
  skip(section: string): void {
    assert.equal(this.#steps[0]?.section, section, `the next section of ${this.title}`);
    while (this.#steps[0]?.section === section) this.#steps.shift();
  }

  /** The program that keeps running on a host. */
  terminal(name: string): Program {
    return this.#terminals.get(name) ?? assert.fail(`nothing runs on ${name}`);
  }

  /** Ends what keeps running on a host, by Ctrl-C. */
  async interrupt(name: string): Promise<void> {
    await this.#terminals.get(name)?.stop('SIGINT');
    this.#terminals.delete(name);
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

  async #take(step: GuideStep): Promise<string> {
    const { machine: name, path, line, shown } = step;
    const place = `${this.title}:${line}`;
    const machine = this.#machines[name] ?? assert.fail(`${place}: there is no host ${name}`);
    if (path !== undefined) {
      await machine.write(path, step.text, '644');
      return '';
    }
    const text = step.text.replace(INVITATION, () => this.#invitation);
    const said = step.keepsRunning
      ? await this.#keepRunning(name, machine, text, shown)
      : await this.#type(machine, text, place, step);
    this.#invitation = said.match(LAST_INVITATION)?.at(-1) ?? this.#invitation;
    return said;
  }

  /** Types commands until they show what the guide says, once unless it says otherwise. */
  async #type(machine: Machine, text: string, place: string, { shown, isShownLater }: GuideStep): Promise<string> {
    if (shown === undefined) return (await typeCommands(machine, text, place, this.#environment)).stdout;
    let said = '';
    const type = async (): Promise<string | undefined> => {
      const { stdout, stderr } = await typeCommands(machine, text, place, this.#environment);
      said = stdout;
      return missingLine(shown, stdout + stderr);
    };
    if (!isShownLater) assert.equal(await type(), undefined, `${place}: a line is missing in\n${said}`);
    // Commands may fail at first, too: a name that is not known yet.
    else await waitFor(`${shown}from ${text}`, async () => (await type().catch(String)) === undefined);
    return said;
  }

  async #keepRunning(name: string, machine: Machine, text: string, shown = ''): Promise<string> {
    await this.interrupt(name);
    // The program takes the place of the shell, so that Ctrl-C reaches it.
    const commands = `cd\n${text.replace(/(^|\n)(.+)\n$/, '$1exec $2\n')}`;
    const program = machine.start('bash', ['-euo', 'pipefail', '-c', commands], {
      env: { ...environmentOf(machine), ...this.#environment },
    });
    this.#terminals.set(name, program);
    await waitFor(`${shown}from ${text}`, () => {
      const said = program.stdout + program.stderr;
      if (!program.isRunning) throw new Error(`${text}ended with ${program.exitStatus}\n${said}`);
      return missingLine(shown, said) === undefined;
    });
    return program.stdout;
  }
}

/** Commands as root types them after logging in. @param place For the message when one fails. */
export async function typeCommands(
  machine: Machine,
  text: string,
  place = 'command',
  environment: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string; stderr: string }> {
  const args = ['-euo', 'pipefail', '-c', `cd\n${text}`];
  const { status, stdout, stderr } = await machine.attempt('bash', args, {
    env: { ...environmentOf(machine), ...environment },
  });
  assert.equal(status, 0, `${place}\n${text}${stdout}${stderr}`);
  return { stdout, stderr };
}

function environmentOf(machine: Machine): Record<string, string> {
  return {
    HOME: homeOf(machine),
    ...subject.env,
    ...(subject.command === wiretype.command ? {} : { WG_QUICK_USERSPACE_IMPLEMENTATION: subject.command }),
  };
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

/**
 * `ssh [root@]HOST COMMAND…`, by the way that machines have anyway, and `ssh -f -N -L SOCKET:SOCKET [root@]HOST`, which leads
 * from a socket here to one there.
 */
function sshScript(accounts: readonly (readonly [string, Machine])[]): string {
  const cases = accounts.map(([name, machine]) => {
    const path = `${machine.programs}:$PATH`;
    return `${name}|root@${name}) pid=${machine.pid} home=${homeOf(machine)} path="${path}" ;;`;
  });
  return [
    'if [ "$1 $2 $3" = "-f -N -L" ]; then forward=$4; shift 4; fi',
    'case $1 in',
    ...cases,
    '*) echo "ssh: unknown host $1" >&2; exit 255 ;;',
    'esac',
    'shift',
    'inside="nsenter -t $pid -m -n --"',
    'if [ -n "$forward" ]; then',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
    '  socat "UNIX-LISTEN:${forward%%:*},fork,mode=600" "EXEC:$inside socat - UNIX-CONNECT\\:${forward#*:}" < /dev/null > /dev/null 2>&1 &',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
    '  until [ -S "${forward%%:*}" ]; do sleep 0.05; done',
    '  exit',
    'fi',
    'exec $inside env HOME=$home PATH="$path" bash -c "cd; $*"',
  ].join('\n');
}

/** `scp [root@]HOST:FILE FILE`. Our files are for their owner only, and so are their copies. */
const SCP_SCRIPT = 'umask 077; IFS=: read -r host path <<< "$1"; ssh "$host" cat "$path" > "$2"';

import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UapiClient } from '../../control/uapi-client.js';
import { uapiSocketPath } from '../../control/uapi-socket-file.js';
import { WireGuardError } from '../../core/errors.js';
import { type Commands, requireSuccess } from '../../host/net/commands.js';
import { spawnDaemon } from '../daemon/background.js';

/** This file runs as `dist/src/cli/demo/demo-host.js`. */
const DAEMON = fileURLToPath(new URL('../../../../bin/wiretyped', import.meta.url));

/** The time that a program has to end by itself, before it is killed. */
const PATIENCE_MS = 3_000;

/** One host of the demo: a network namespace with programs in it. `close` removes all of it. */
export class DemoHost {
  readonly title: string;
  readonly namespace: string;
  /** The tunnel's interface; unique on the machine, since control sockets of all namespaces lie in one directory. */
  readonly interfaceName: string;
  readonly control: UapiClient;
  readonly #commands: Commands;
  readonly #children = new Set<ChildProcess>();

  private constructor(commands: Commands, title: string) {
    this.title = title;
    this.namespace = `wiretype-demo-${process.pid}-${title}`;
    this.interfaceName = `demo${process.pid}${title[0]}`;
    this.control = new UapiClient(uapiSocketPath(this.interfaceName));
    this.#commands = commands;
  }

  /** @throws {WireGuardError} ERR_COMMAND_FAILED if namespaces cannot be made. */
  static async create(commands: Commands, title: string): Promise<DemoHost> {
    const host = new DemoHost(commands, title);
    const words = ['ip', 'netns', 'add', host.namespace];
    requireSuccess(words, await commands.ask(words));
    await host.ip('link set lo up');
    return host;
  }

  /** Runs `ip` inside; the words are separated by spaces. @throws {WireGuardError} ERR_COMMAND_FAILED */
  async ip(words: string): Promise<void> {
    const command = ['ip', '-n', this.namespace, ...words.split(' ')];
    requireSuccess(command, await this.#commands.ask(command));
  }

  /** Starts a program inside that ends with the host at the latest. The caller reads its output. */
  start(...words: readonly string[]): ChildProcess {
    const [program, ...args] = [...this.#inside(), ...words];
    return this.#keep(spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] }));
  }

  /** Starts the daemon. @throws {WireGuardError} ERR_DAEMON_START */
  async startDaemon(): Promise<void> {
    const { child, ready } = spawnDaemon(
      {
        command: [...this.#inside(), process.execPath, DAEMON],
        interfaceName: this.interfaceName,
        isLogWanted: process.env['LOG_LEVEL'] !== undefined,
      },
      process.env,
    );
    this.#keep(child);
    const failure = await ready;
    if (failure !== undefined) throw new WireGuardError('ERR_DAEMON_START', failure.trim());
  }

  /** Ends all programs and removes the namespace. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map(end));
    rmSync(uapiSocketPath(this.interfaceName), { force: true });
    await this.#commands.ask(['ip', 'netns', 'delete', this.namespace]);
  }

  #inside(): [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.namespace];
  }

  #keep(child: ChildProcess): ChildProcess {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.once('error', () => this.#children.delete(child));
    return child;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const lastResort = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await exit;
  clearTimeout(lastResort);
}

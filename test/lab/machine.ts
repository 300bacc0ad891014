/**
 * A host of the laboratory with a file system of its own where it matters: /etc, /run, and a folder for programs.
 *
 * Interfaces and files of `wg-quick` can have their usual names there, and resolv.conf is nobody else's.
 */
import { join } from 'node:path';

import { CHECKOUT } from './implementation.js';
import type { Lab } from './lab.js';
import type { Host } from './namespace.js';
import { attempt, Program, type RunOptions, type RunResult } from './program.js';

/** Makes the folders and stays: what holds the mounts is the process. */
const SCRIPT = `set -e
mkdir "$1"
mount -t tmpfs tmpfs "$1"
cp -a /etc "$1/etc"
rm -rf "$1/etc/wireguard" "$1"/etc/resolv.conf* "$1/etc/resolvconf"
mkdir "$1/bin" "$1/etc/wireguard"
chmod 700 "$1/etc/wireguard"
touch "$1/etc/of-the-laboratory"
echo 'nameserver 203.0.113.53' > "$1/etc/resolv.conf"
mount --bind "$1/etc" /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/wireguard
echo ready
exec sleep infinity`;

export class Machine {
  readonly host: Host;
  /** Programs in here go before those of the system. */
  readonly programs: string;
  readonly #holder: Program;

  private constructor(host: Host, holder: Program, folder: string) {
    this.host = host;
    this.#holder = holder;
    this.programs = `${folder}/bin`;
  }

  static async create(lab: Lab, title: string): Promise<Machine> {
    const host = await lab.host(title);
    const folder = join(lab.folder, title);
    const holder = host.start('unshare', ['-m', '--propagation', 'private', 'bash', '-c', SCRIPT, 'bash', folder]);
    await holder.says(/ready/);
    return new Machine(host, holder, folder);
  }

  /** The id of the process whose network and mounts are the machine's. */
  get pid(): number {
    return this.#holder.pid!;
  }

  /** Starts a program that ends with the machine at the latest. */
  start(command: string, args: readonly string[], options: RunOptions = {}): Program {
    return new Program(...this.#inside(command, args, options));
  }

  async attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return await attempt(...this.#inside(command, args, options));
  }

  async run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.attempt(command, args, options);
    if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: exit status ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  /** `wiretype`, from this checkout. */
  async wiretype(...args: readonly string[]): Promise<RunResult> {
    return await this.attempt(`${CHECKOUT}bin/wiretype`, args);
  }

  /** Writes a file in place of what is there, never into the machine's own /etc. @param bytes A string stands for its UTF-8 bytes. */
  async write(path: string, bytes: string | Uint8Array, mode = '600'): Promise<void> {
    const script = 'test -e /etc/of-the-laboratory && rm -rf "$1" && base64 -d > "$1" && chmod "$2" "$1"';
    await this.run('bash', ['-c', script, 'bash', path, mode], { input: Buffer.from(bytes).toString('base64') });
  }

  async read(path: string): Promise<string> {
    return await this.run('cat', [path]);
  }

  /** Puts a script where programs are looked for first. */
  async install(name: string, script: string): Promise<void> {
    await this.write(join(this.programs, name), `#!/bin/bash\n${script}\n`, '755');
  }

  async uninstall(name: string): Promise<void> {
    await this.run('rm', ['-f', join(this.programs, name)]);
  }

  #inside(command: string, args: readonly string[], options: RunOptions): [string, string[], RunOptions] {
    const env = { PATH: `${this.programs}:${process.env['PATH']}`, ...options.env };
    const pid = String(this.#holder.pid);
    return ['nsenter', ['-t', pid, '-m', '-n', '--', command, ...args], { ...options, env }];
  }
}

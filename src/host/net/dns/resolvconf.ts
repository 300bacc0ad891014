import { lstatSync, readFileSync } from 'node:fs';

import { type Commands, findProgram, searchPathOf } from '../commands.js';
import { isSystemError } from '../system-error.js';
import { type DnsBackend, type DnsSettings, resolvLines } from './dns-settings.js';

const INTERFACE_PATTERN = /^([A-Za-z0-9-]+)\*$/m;

/**
 * resolvconf(8), openresolv's or Debian's, which keeps a list of servers per interface and writes resolv.conf.
 *
 * Source: resolvconf(8); wg-quick(8).
 */
export class Resolvconf implements DnsBackend {
  readonly name = 'resolvconf';
  readonly #commands: Commands;
  readonly #searchPath: string;
  readonly #etc: string;

  constructor(commands: Commands, searchPath = searchPathOf(process.env), etc = '/etc') {
    this.#commands = commands;
    this.#searchPath = searchPath;
    this.#etc = etc;
  }

  isInUse(): boolean {
    return this.#commands.has('resolvconf');
  }

  /** Sets the servers. `-m 0 -x` means before all other interfaces, and instead of them. */
  async set(interfaceName: string, settings: DnsSettings): Promise<void> {
    const lines = resolvLines(settings).map((line) => `${line}\n`);
    const words = ['resolvconf', '-a', this.#record(interfaceName), '-m', '0', '-x'];
    await this.#commands.run(words, lines.join(''));
  }

  async unset(interfaceName: string): Promise<void> {
    await this.#commands.run(['resolvconf', '-d', this.#record(interfaceName), '-f']);
  }

  /** Returns the name of the record: Debian's resolvconf ranks interfaces by patterns of their names. */
  #record(interfaceName: string): string {
    if (this.#isSymbolicLink()) return interfaceName;
    try {
      const order = readFileSync(`${this.#etc}/resolvconf/interface-order`, 'latin1');
      const prefix = INTERFACE_PATTERN.exec(order)?.[1];
      return prefix === undefined ? interfaceName : `${prefix}.${interfaceName}`;
    } catch (error) {
      if (isSystemError(error)) return interfaceName;
      throw error;
    }
  }

  /** Tests whether resolvconf is a link, and thus another program under this name, such as resolvectl. */
  #isSymbolicLink(): boolean {
    const program = findProgram('resolvconf', this.#searchPath);
    return program !== undefined && lstatSync(program).isSymbolicLink();
  }
}

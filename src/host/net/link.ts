import type { Commands } from './commands.js';
import { queryMtu } from './ip-query.js';
import { formatPrefix, type Prefix } from './prefix.js';

/** A network interface, as `ip link` and `ip address` configure it. */
export class Link {
  readonly name: string;
  readonly #commands: Commands;

  constructor(commands: Commands, name: string) {
    this.#commands = commands;
    this.name = name;
  }

  async exists(): Promise<boolean> {
    return (await queryMtu(this.#commands, this.name)) !== undefined;
  }

  async addAddress(address: Prefix): Promise<void> {
    await this.#commands.run(this.#addressWords('add', address));
  }

  async removeAddress(address: Prefix): Promise<void> {
    await this.#commands.run(this.#addressWords('delete', address));
  }

  /** @param mtu Bytes. */
  async bringUp(mtu: number): Promise<void> {
    await this.#commands.run(['ip', 'link', 'set', 'mtu', String(mtu), 'up', 'dev', this.name]);
  }

  /** @param mtu Bytes. */
  async setMtu(mtu: number): Promise<void> {
    await this.#commands.run(['ip', 'link', 'set', 'mtu', String(mtu), 'dev', this.name]);
  }

  /** Removes the interface; its addresses and routes go with it, and so does a daemon behind it. */
  async remove(): Promise<void> {
    await this.#commands.run(['ip', 'link', 'delete', 'dev', this.name]);
  }

  #addressWords(verb: string, address: Prefix): string[] {
    return ['ip', `-${address.family}`, 'address', verb, formatPrefix(address), 'dev', this.name];
  }
}

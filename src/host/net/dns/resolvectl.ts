import { readFileSync, realpathSync } from 'node:fs';

import type { Commands } from '../commands.js';
import { isSystemError } from '../system-error.js';
import type { DnsBackend, DnsSettings } from './dns-settings.js';

const STUB_ADDRESSES = /^\s*nameserver\s+127\.0\.0\.5[34]\s*$/m;
const NSS_RESOLVE = /^\s*hosts:.*\bresolve\b/m;

/**
 * systemd-resolved, which keeps servers per interface and forgets them when the interface goes.
 *
 * Source: resolvectl(1).
 */
export class Resolvectl implements DnsBackend {
  readonly name = 'resolvectl';
  readonly #commands: Commands;
  readonly #etc: string;

  /** @param etc Folder of resolv.conf and nsswitch.conf. */
  constructor(commands: Commands, etc = '/etc') {
    this.#commands = commands;
    this.#etc = etc;
  }

  /** Tests the files beside the program: programs query systemd-resolved only where one of these files refers to it. */
  isInUse(): boolean {
    if (!this.#commands.has('resolvectl')) return false;
    return (
      realPathOf(`${this.#etc}/resolv.conf`).includes('/systemd/resolve') ||
      STUB_ADDRESSES.test(textOf(`${this.#etc}/resolv.conf`)) ||
      NSS_RESOLVE.test(textOf(`${this.#etc}/nsswitch.conf`))
    );
  }

  async set(interfaceName: string, { servers, searchDomains }: DnsSettings): Promise<void> {
    await this.#commands.run(['resolvectl', 'dns', interfaceName, ...servers]);
    // "~." sends every name to this interface's servers.
    const domains = searchDomains.filter((domain) => domain !== '~.');
    await this.#commands.run(['resolvectl', 'domain', interfaceName, ...domains, '~.']);
  }

  async unset(interfaceName: string): Promise<void> {
    await this.#commands.run(['resolvectl', 'revert', interfaceName]);
  }
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';

const RESOLV_CONF = '/etc/resolv.conf';
const MAX_SERVERS = 3;

/** The resolvers of this host: given ones, or the `nameserver` lines of resolv.conf, read again when the file changed. */
export class Upstreams {
  readonly #given: readonly string[];
  readonly #path: string;
  #servers: readonly string[] = [];
  #readMs = -1;

  /** @param given Addresses; empty: those of the host. */
  constructor(given: readonly string[] = [], path = RESOLV_CONF) {
    this.#given = given;
    this.#path = path;
  }

  /** The servers in the order in which they are asked. */
  get servers(): readonly string[] {
    if (this.#given.length > 0) return this.#given;
    try {
      const { mtimeMs } = statSync(this.#path);
      if (mtimeMs !== this.#readMs) this.#servers = nameservers(readFileSync(this.#path, 'utf8'));
      this.#readMs = mtimeMs;
    } catch {
      this.#servers = []; // without the file, the C library asks this host as well
      this.#readMs = -1;
    }
    return this.#servers.length > 0 ? this.#servers : ['127.0.0.1'];
  }
}

/** Reads the addresses behind `nameserver`. A zone of a link-local address is kept. */
export function nameservers(text: string): string[] {
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((address) => address !== undefined && isIP(address.split('%')[0]!) !== 0)
    .slice(0, MAX_SERVERS) as string[];
}

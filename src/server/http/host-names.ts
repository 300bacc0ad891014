import { isIP } from 'node:net';

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/**
 * The names that requests may be for. A page of somebody else, whose name was made to lead here (DNS rebinding), asks for
 * its own name.
 */
export class HostNames {
  readonly #names: ReadonlySet<string>;

  /** @param own Names and addresses of the gateway, besides those of the loopback. */
  constructor(own: readonly string[]) {
    this.#names = new Set([...LOOPBACK, ...own].map((name) => name.toLowerCase()));
  }

  /** @param host The header, with or without a port. */
  isOwn(host: string | undefined): boolean {
    const name = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/@\s]+))(?::\d{1,5})?$/.exec(host ?? '');
    const text = (name?.[1] ?? name?.[2] ?? '').toLowerCase();
    return this.#names.has(isIP(text) === 0 ? text.replace(/\.$/, '') : text);
  }
}

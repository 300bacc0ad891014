/** The name servers of a tunnel, and the domains that are searched while it is up. */
export interface DnsSettings {
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
}

/** A way to tell the host about name servers. */
export interface DnsBackend {
  readonly name: DnsBackendName;
  /** @returns Whether name resolution on this host follows this backend. */
  isInUse(): boolean;
  /**
   * Makes the servers those of the host. What was said for this interface before is replaced.
   *
   * @throws {WireGuardError} ERR_COMMAND_FAILED, ERR_COMMAND_MISSING, ERR_DNS. What was there stays.
   */
  set(interfaceName: string, settings: DnsSettings): Promise<void>;
  /** Takes back what was said for the interface. @throws {WireGuardError} as `set` does. */
  unset(interfaceName: string): Promise<void>;
}

export type DnsBackendName = 'resolvectl' | 'resolvconf' | 'resolv.conf';

/** The lines of resolv.conf(5) for these settings. */
export function resolvLines({ servers, searchDomains }: DnsSettings): string[] {
  const lines = servers.map((server) => `nameserver ${server}`);
  if (searchDomains.length > 0) lines.push(`search ${searchDomains.join(' ')}`);
  return lines;
}

/** Reads what `resolvLines` writes. */
export function parseResolvLines(lines: readonly string[]): DnsSettings {
  const valuesOf = (key: string) =>
    lines.filter((line) => line.startsWith(`${key} `)).flatMap((line) => line.split(' ').slice(1));
  return { servers: valuesOf('nameserver'), searchDomains: valuesOf('search') };
}

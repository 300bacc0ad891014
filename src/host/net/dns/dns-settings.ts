/** The name servers of a tunnel, and the domains that are searched while it is up. */
export interface DnsSettings {
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
}

/** A way to set the name servers of the host. */
export interface DnsBackend {
  readonly name: DnsBackendName;
  /** @returns Whether name resolution on this host follows this backend. */
  isInUse(): boolean;
  /**
   * Makes the servers the name servers of the host. Earlier settings of this interface are replaced.
   *
   * @throws {WireGuardError} ERR_COMMAND_FAILED, ERR_COMMAND_MISSING, ERR_DNS. The old settings are kept.
   */
  set(interfaceName: string, settings: DnsSettings): Promise<void>;
  /** Removes the settings of the interface. @throws {WireGuardError} as `set` does. */
  unset(interfaceName: string): Promise<void>;
}

export type DnsBackendName = 'resolvectl' | 'resolvconf' | 'resolv.conf';

/** Returns the lines of resolv.conf(5) for these settings. */
export function resolvLines({ servers, searchDomains }: DnsSettings): string[] {
  const lines = servers.map((server) => `nameserver ${server}`);
  if (searchDomains.length > 0) lines.push(`search ${searchDomains.join(' ')}`);
  return lines;
}

/** Reads the lines that `resolvLines` writes. */
export function parseResolvLines(lines: readonly string[]): DnsSettings {
  const valuesOf = (key: string) =>
    lines.filter((line) => line.startsWith(`${key} `)).flatMap((line) => line.split(' ').slice(1));
  return { servers: valuesOf('nameserver'), searchDomains: valuesOf('search') };
}

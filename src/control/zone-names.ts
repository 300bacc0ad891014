import { readdirSync, readFileSync } from 'node:fs';

import { isSystemError } from './system-error.js';

/** The interfaces behind the zones of link-local IPv6 addresses, as in `fe80::1%eth0` (RFC 4007 §11). */
export interface ZoneNames {
  /** @returns The interface's index, or `undefined` if there is no such interface. */
  indexOf(name: string): number | undefined;
  nameOf(index: number): string | undefined;
}

/** Follows the network namespace of the process, which /sys does not. */
const DIRECTORY = '/proc/self/net/dev_snmp6';

/**
 * The zones of this machine at the time of the first look-up. An interface whose number cannot be read, such as for want
 * of descriptors, counts as absent.
 *
 * Each request needs its own object: interfaces come and go, and thousands of peers may need a name.
 */
export class SystemZoneNames implements ZoneNames {
  #indices: ReadonlyMap<string, number> | undefined;

  indexOf(name: string): number | undefined {
    this.#indices ??= readIndices();
    return this.#indices.get(name);
  }

  nameOf(index: number): string | undefined {
    this.#indices ??= readIndices();
    for (const [name, candidate] of this.#indices) if (candidate === index) return name;
    return undefined;
  }
}

function readIndices(): ReadonlyMap<string, number> {
  const indices = new Map<string, number>();
  for (const name of interfacesWithIpv6()) {
    const index = readIndex(name);
    if (index !== undefined) indices.set(name, index);
  }
  return indices;
}

/** Returns the interfaces; none where the system has no IPv6. */
function interfacesWithIpv6(): readonly string[] {
  try {
    return readdirSync(DIRECTORY);
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}

/** @returns `undefined` if the interface went away in between. */
function readIndex(name: string): number | undefined {
  try {
    const match = /^ifIndex\s+([0-9]+)/.exec(readFileSync(`${DIRECTORY}/${name}`, 'latin1'));
    return match === null ? undefined : Number(match[1]);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

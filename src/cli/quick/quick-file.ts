import { WireGuardError } from '../../core/errors.js';
import { type ConfigPath, findConfig, interfaceOf } from './config-path.js';
import { emptyQuickConfig, type QuickConfig, readQuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';

/** The unread file of an interface: a command that follows or changes the file reads it under a lock. */
export interface QuickFile extends ConfigPath {
  /** @throws {WireGuardError} ERR_CONFIG_FILE, ERR_CONFIG */
  read(): Promise<QuickConfig>;
}

/** The rules for reading a file. */
export interface QuickFileOptions {
  /** Treats invalid settings as absent: an interface must come down whatever its file contains. */
  readonly isLenient: boolean;
  /** An interface that is known from a record needs no file. */
  readonly mayBeMissing: boolean;
}

/**
 * Finds the file that the user named, directly or by its interface.
 *
 * @param warn Receives a line about a file that everyone can read.
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_INTERFACE_NAME
 */
export function findQuickFile(
  host: QuickHost,
  target: string,
  warn: (text: string) => void,
  options: QuickFileOptions,
): QuickFile {
  try {
    const where = findConfig(target);
    return { ...where, read: async () => await readOrReplace(host, where, warn, options) };
  } catch (error) {
    const interfaceName = interfaceOf(target);
    if (interfaceName === undefined) throw error;
    const where = { interfaceName, file: target };
    const config = replaceMissing(host, where, options, error);
    return { ...where, read: async () => config };
  }
}

async function readOrReplace(
  host: QuickHost,
  where: ConfigPath,
  warn: (text: string) => void,
  options: QuickFileOptions,
): Promise<QuickConfig> {
  try {
    return await readQuickConfig(where, warn, options);
  } catch (error) {
    return replaceMissing(host, where, options, error);
  }
}

/** @throws The error, unless the interface can do without its file. */
function replaceMissing(host: QuickHost, where: ConfigPath, options: QuickFileOptions, error: unknown): QuickConfig {
  const { interfaceName } = where;
  const isKnown = options.mayBeMissing && host.records.read(interfaceName) !== undefined;
  if (!isKnown || !(error instanceof WireGuardError)) throw error;
  host.commands.warn(`${error.message}: taking ${interfaceName} down without its commands`);
  return emptyQuickConfig(where);
}

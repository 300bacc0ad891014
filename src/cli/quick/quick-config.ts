import { type ConfigDocument, type HookName, parseConfig, readConfigFile } from '../../control/config/index.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { DnsSettings } from '../../host/net/dns/dns-settings.js';
import { type Prefix, parsePrefix } from '../../host/net/prefix.js';
import { unlessInvalid } from '../unless-invalid.js';
import { type ConfigPath, isWorldAccessible } from './config-path.js';

/** A command of the user's, for a moment in the life of the interface. */
export interface Hook {
  readonly name: HookName;
  /** `%i` is still in it. */
  readonly command: string;
  /** In the file, from 1. */
  readonly line: number;
}

/** A configuration file, as `up` and `down` need it: checked as a whole before anything is done. */
export interface QuickConfig extends ConfigPath {
  readonly document: ConfigDocument;
  readonly addresses: readonly Prefix[];
  readonly dns: DnsSettings;
  /** Bytes. */
  readonly mtu: number | undefined;
  /** `off`: no routes; `undefined`: the main table, and default routes by policy rules. */
  readonly table: string | undefined;
  readonly saveConfig: boolean;
  readonly hooks: readonly Hook[];
}

const HOOK_NAMES: ReadonlySet<string> = new Set<HookName>(['PreUp', 'PostUp', 'PreDown', 'PostDown']);
/** What may reach a resolver: these programs are shell scripts in part. */
const SEARCH_DOMAIN = /^(?![-~])[A-Za-z0-9._-]+$/;
const NO_DNS: DnsSettings = { servers: [], searchDomains: [] };
/** An address, with a zone or without. */
const ZONE = /^[^%]+(?:%[A-Za-z0-9_.-]+)?$/;

/**
 * Reads the file, and everything in it that is about the host.
 *
 * @param warn Gets a line about a file that everyone can read.
 * @param options `isLenient`: what is wrong in the file counts as absent, as far as the host is concerned.
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_CONFIG with all errors of the file.
 */
export async function readQuickConfig(
  where: ConfigPath,
  warn: (text: string) => void,
  options: { readonly isLenient: boolean } = { isLenient: false },
): Promise<QuickConfig> {
  const document = await readConfigFile(where.file);
  if (isWorldAccessible(where.file)) warn(`Warning: \`${where.file}' is world accessible\n`);
  if (!options.isLenient) document.assertValid();

  const get = options.isLenient ? unlessInvalid : <T>(read: () => T): T => read();
  const section = document.interfaceSection;
  const table = get(() => plainTable(where.file, section?.table));
  return {
    ...where,
    document,
    addresses: get(() => section?.addresses.map((address) => parsePrefix(formatIpPrefix(address))!)) ?? [],
    dns: get(() => plainDns(where.file, section?.dns)) ?? NO_DNS,
    mtu: get(() => section?.mtu),
    table: table?.toLowerCase() === 'auto' ? undefined : table,
    saveConfig: get(() => section?.saveConfig) ?? false,
    hooks: readHooks(document),
  };
}

/** What is known of an interface whose file has gone: that it has one. */
export function emptyQuickConfig(where: ConfigPath): QuickConfig {
  const nothing = { addresses: [], dns: NO_DNS, mtu: undefined, table: undefined, saveConfig: false, hooks: [] };
  return { ...where, document: parseConfig('', where.file), ...nothing };
}

function readHooks(document: ConfigDocument): Hook[] {
  const hooks: Hook[] = [];
  let line = 0;
  for (const { kind, key, value } of document.lines()) {
    line++;
    if (kind !== 'entry' || !HOOK_NAMES.has(key)) continue;
    if (value.includes('\0')) {
      throw new WireGuardError('ERR_CONFIG', `${document.fileName}:${line}: ${key}: a command cannot hold a NUL`);
    }
    hooks.push({ name: key as HookName, command: value, line });
  }
  return hooks;
}

/** @throws {WireGuardError} ERR_CONFIG for what `ip` would take for an option. */
function plainTable(file: string, table: string | undefined): string | undefined {
  if (table?.startsWith('-') !== true) return table;
  throw new WireGuardError('ERR_CONFIG', `${file}: Table: ${JSON.stringify(table)} is neither a number nor a name`);
}

/** @throws {WireGuardError} ERR_CONFIG for what a resolver could misread. */
function plainDns(file: string, dns: DnsSettings = NO_DNS): DnsSettings {
  const { servers, searchDomains } = dns;
  const strange =
    servers.find((server) => !ZONE.test(server)) ?? searchDomains.find((domain) => !SEARCH_DOMAIN.test(domain));
  if (strange === undefined) return dns;
  throw new WireGuardError('ERR_CONFIG', `${file}: DNS: ${JSON.stringify(strange)} is neither an address nor a domain`);
}

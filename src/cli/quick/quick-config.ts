import {
  type ConfigDocument,
  formatProblem,
  type HookName,
  parseConfig,
  readConfigFile,
} from '../../control/config/index.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { ProgramFailure } from '../../host/net/command-error.js';
import type { DnsSettings } from '../../host/net/dns/dns-settings.js';
import { type Prefix, parsePrefix } from '../../host/net/prefix.js';
import { unlessInvalid } from '../unless-invalid.js';
import { type ConfigPath, isWorldAccessible } from './config-path.js';

/** A command of the user's, for a moment in the life of the interface. */
export interface Hook {
  readonly name: HookName;
  /** The command, with `%i` not yet replaced. */
  readonly command: string;
  /** The line in the file, from 1. */
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
const NO_DNS: DnsSettings = { servers: [], searchDomains: [] };
/** Keys whose doubtful values are used nevertheless, with a warning. */
const DOUBTFUL = /^(?:DNS|Endpoint|ListenPort): /;
/** Keys whose values `ip` checks in wg-quick, which then ends with the status of `ip`. */
const OF_IP = /^(?:MTU|Table): /;
const IP_USAGE_STATUS = 255;

/**
 * Reads the file and all its settings for the host.
 *
 * @param warn Receives a line about a file that everyone can read.
 * @param options `isLenient`: treats invalid settings for the host as absent.
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_CONFIG with all errors of the file.
 */
export async function readQuickConfig(
  where: ConfigPath,
  warn: (text: string) => void,
  options: { readonly isLenient: boolean } = { isLenient: false },
): Promise<QuickConfig> {
  const document = (await readConfigFile(where.file)).readAsWg();
  if (isWorldAccessible(where.file)) warn(`Warning: \`${where.file}' is world accessible\n`);
  if (!options.isLenient) checkDocument(document, warn);

  const get = options.isLenient ? unlessInvalid : <T>(read: () => T): T => read();
  const section = document.interfaceSection;
  const table = get(() => plainTable(where.file, section?.table));
  return {
    ...where,
    document,
    addresses: get(() => section?.addresses.map((address) => parsePrefix(formatIpPrefix(address))!)) ?? [],
    dns: get(() => section?.dns) ?? NO_DNS,
    mtu: get(() => section?.mtu),
    table: table?.toLowerCase() === 'auto' ? undefined : table,
    saveConfig: get(() => section?.saveConfig) ?? false,
    hooks: readHooks(document),
  };
}

/** @throws {WireGuardError} ERR_CONFIG with all errors. */
function checkDocument(document: ConfigDocument, warn: (text: string) => void): void {
  const { problems, fileName } = document;
  for (const problem of problems) {
    if (problem.severity === 'warning' && DOUBTFUL.test(problem.message)) warn(formatProblem(problem, fileName));
  }
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const isOfIp = errors.every(({ message }) => OF_IP.test(message));
  const text = errors
    .map((problem) => formatProblem(problem, fileName))
    .join('')
    .trimEnd();
  throw new WireGuardError('ERR_CONFIG', text, isOfIp ? { cause: new ProgramFailure('ip', IP_USAGE_STATUS) } : {});
}

/** Returns the configuration of an interface whose file has gone. */
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
    // A shell that reads the file drops NUL bytes, which no argument can hold.
    hooks.push({ name: key as HookName, command: value.replaceAll('\0', ''), line });
  }
  return hooks;
}

/** @throws {WireGuardError} ERR_CONFIG for a value that `ip` would take for an option. */
function plainTable(file: string, table: string | undefined): string | undefined {
  if (table?.startsWith('-') !== true) return table;
  const cause = new ProgramFailure('ip', IP_USAGE_STATUS);
  const message = `${file}: Table: ${JSON.stringify(table)} is neither a number nor a name`;
  throw new WireGuardError('ERR_CONFIG', message, { cause });
}

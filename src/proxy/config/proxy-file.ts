import { stat } from 'node:fs/promises';
import path from 'node:path';

import { readConfigFile } from '../../control/config/index.js';
import { readTunnelConfig } from '../../rootless/tunnel-config.js';
import type { Destination } from '../exit.js';
import type { Forward, ProxyListener, ProxyTunnel } from '../proxy-config.js';
import type { Rule } from '../rules/rule.js';
import { FileProblems } from './file-problems.js';
import { cutIni, type IniSection } from './ini-text.js';
import { parseFamily, readEnds, readFamily } from './proxy-sections.js';
import { checkSection, isSame, isWireguardSection } from './section-kinds.js';
import { type Environment, SectionReader } from './section-reader.js';
import { readAliveKeys, readTunnelText } from './tunnel-text.js';

/** The content of one file of the command line: a file for `wg-quick`, or one for wireproxy. */
export interface ProxyFile {
  /** At least one. */
  readonly tunnels: readonly ProxyTunnel[];
  readonly rules: readonly Rule[];
  readonly listeners: readonly ProxyListener[];
  readonly forwards: readonly Forward[];
  /** Connects standard input and output with this place. */
  readonly stdio?: Destination;
  /** Warnings, each a sentence or two. */
  readonly warnings: readonly string[];
}

export interface ProxyFileOptions {
  /** The name of the first tunnel; default: the name of the file. */
  readonly name?: string;
  readonly environment: Environment;
}

const OTHERS_MAY_READ = 0o044;

/**
 * Reads one file with everything that it refers to.
 *
 * @throws {WireGuardError} ERR_CONFIG naming file, line and key; ERR_CONFIG_FILE
 */
export async function readProxyFile(file: string, { name, environment }: ProxyFileOptions): Promise<ProxyFile> {
  const { text } = await readConfigFile(file);
  const problems = new FileProblems(file);
  const all = cutIni(text);
  const sections = all.filter((section) => !isWireguardSection(section));
  for (const section of sections) checkSection(section, problems);
  const readers = sections.map((section) => [section, new SectionReader(section, environment, problems)] as const);
  const family = readFamily(readers);
  const ends = readEnds(readers, path.dirname(file));
  const sources = tunnelSources(all, readers, { file, name, problems, family });
  problems.throwIfAny();

  const isWireproxys = all.some((section) => !isWireguardSection(section) && hasContent(section));
  const tunnels: ProxyTunnel[] = [];
  const warnings: string[] = [];
  for (const source of sources) {
    const isImported = source.file !== file;
    const options = { environment, problems: new FileProblems(source.file), isWireproxys };
    const sourceText = isImported ? (await readConfigFile(source.file)).text : text;
    tunnels.push(await openSource(source, () => readTunnelText(sourceText, options)));
    warnings.push(...(await permissionWarnings(source.file)));
  }
  if (sources.every((source) => source.file !== file) && ends.listeners.some(({ credentials }) => credentials))
    warnings.push(...(await permissionWarnings(file)));
  return { tunnels, warnings, ...ends };
}

/** Where the keys and peers of a tunnel stand. */
interface TunnelSource extends Partial<Omit<ProxyTunnel, 'document'>> {
  readonly name: string;
  readonly file: string;
  readonly family: ProxyTunnel['family'];
}

type Readers = readonly (readonly [IniSection, SectionReader])[];

interface SourceOptions {
  readonly file: string;
  readonly name: string | undefined;
  readonly problems: FileProblems;
  readonly family: ProxyTunnel['family'];
}

function tunnelSources(all: readonly IniSection[], readers: Readers, options: SourceOptions): TunnelSource[] {
  const { file, name = tunnelName(file), problems, family } = options;
  const sources: TunnelSource[] = [];
  const relative = (value: string): string => path.resolve(path.dirname(file), value);
  const imported = readers[0]![1].read('WGConfig', relative);
  const own = all.find(isWireguardSection);
  if (imported !== undefined && own !== undefined)
    problems.note(own.line, `[${own.name}]: there is a WGConfig as well`, 'Keep one of both.');
  if (imported !== undefined) sources.push({ name, file: imported, family });
  else if (own !== undefined) sources.push({ name, file, family });
  for (const [section, reader] of readers.filter(([{ name: kind }]) => isSame(kind, 'Tunnel'))) {
    if (!/^[\w.+=-]+$/.test(section.title))
      problems.note(section.line, '[Tunnel] has no name', 'Write [Tunnel NAME], with letters, digits and _ = + . -');
    const target = reader.read('WGConfig', relative);
    const alive = readAliveKeys(reader);
    const ownFamily = reader.read('ResolveStrategy', parseFamily) ?? family;
    if (target !== undefined) sources.push({ name: section.title, file: target, family: ownFamily, ...alive });
  }
  if (sources.length === 0)
    problems.note(1, 'there is no tunnel', 'Add [Interface] and [Peer], WGConfig = FILE, or [Tunnel NAME].');
  return sources;
}

async function openSource(
  { name, file: _, family, ...alive }: TunnelSource,
  read: () => ReturnType<typeof readTunnelText>,
): Promise<ProxyTunnel> {
  const found = read();
  await readTunnelConfig(found.document);
  return { ...found, ...alive, name, family };
}

/** Returns the name of a tunnel whose file is given: the file's, without ending. */
export function tunnelName(file: string): string {
  return (
    path
      .basename(file)
      .replace(/\.[^.]*$/, '')
      .replace(/[^\w.+=-]/g, '-') || 'tunnel'
  );
}

function hasContent({ name, entries, strayLines }: IniSection): boolean {
  return name !== '' || entries.length + strayLines.length > 0;
}

async function permissionWarnings(file: string): Promise<string[]> {
  const found = await stat(file);
  if (!found.isFile() || (found.mode & OTHERS_MAY_READ) === 0) return [];
  return [
    `${file}: warning: users other than its owner may read the file and the secrets in it\n    Run chmod 600 ${file}`,
  ];
}

import { closestWord } from '../../control/closest-word.js';
import { quote } from '../../control/config/secret-text.js';
import type { FileProblems } from './file-problems.js';
import type { IniSection } from './ini-text.js';

/** A kind of section, and the keys that it may have. */
export interface SectionKind {
  readonly name: string;
  readonly keys: readonly string[];
  readonly required?: readonly string[];
  /** Keys that may stand on several lines. */
  readonly lists?: readonly string[];
}

const LOGIN = ['BindAddress', 'Username', 'Password'];

/** The sections that wireproxy has as well, and ours: [Proxy], [Tunnel NAME], [Rules]. */
export const SECTION_KINDS: readonly SectionKind[] = [
  { name: '', keys: ['WGConfig'] },
  { name: 'Socks5', keys: LOGIN, required: ['BindAddress'] },
  { name: 'http', keys: [...LOGIN, 'CertFile', 'KeyFile'], required: ['BindAddress'] },
  { name: 'Proxy', keys: LOGIN, required: ['BindAddress'] },
  { name: 'TCPClientTunnel', keys: ['BindAddress', 'Target', 'Tunnel'], required: ['BindAddress', 'Target'] },
  { name: 'TCPServerTunnel', keys: ['ListenPort', 'Target', 'Tunnel'], required: ['ListenPort', 'Target'] },
  {
    name: 'UDPProxyTunnel',
    keys: ['BindAddress', 'Target', 'InactivityTimeout', 'Tunnel'],
    required: ['BindAddress', 'Target'],
  },
  { name: 'STDIOTunnel', keys: ['Target'], required: ['Target'] },
  { name: 'Resolve', keys: ['ResolveStrategy'] },
  { name: 'Tunnel', keys: ['WGConfig', 'CheckAlive', 'CheckAliveInterval', 'ResolveStrategy'], required: ['WGConfig'] },
  { name: 'Rules', keys: ['Rule'], lists: ['Rule'] },
];

/** Sections and keys that wireproxy has and we have not, with the way around. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  sni: 'Use [http] instead: browsers and curl send it the name of the host.',
  tunneldomains: 'Write the same as rules, such as "Rule = example.com tunnel" and "Rule = * direct" in [Rules].',
  logdomains: 'Take the line out and run with --verbose, which shows where each connection goes.',
};

/** Finds the kind of a section; `undefined` for [Interface], [Peer] and unknown sections. */
export function kindOf({ name }: IniSection): SectionKind | undefined {
  return SECTION_KINDS.find((kind) => isSame(kind.name, name));
}

/** Tests whether a section belongs to the file of an interface. */
export function isWireguardSection({ name }: IniSection): boolean {
  return isSame(name, 'Interface') || isSame(name, 'Peer');
}

/** Names of sections and keys have no case. */
export function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Notes unknown sections and keys, keys that are there twice, and keys that are missing. */
export function checkSection(section: IniSection, problems: FileProblems): void {
  for (const line of section.strayLines) {
    problems.note(line, 'this line is not understood', 'A line is a section in brackets, KEY = VALUE, or a comment.');
  }
  const kind = kindOf(section);
  if (kind === undefined) {
    problems.note(section.line, `there is no section ${quote(section.name)}`, sectionAdvice(section.name));
    return;
  }
  const seen = new Set<string>();
  for (const { key, line } of section.entries) {
    const name = kind.keys.find((known) => isSame(known, key));
    if (name === undefined) problems.note(line, `unknown key ${quote(key)} ${place(kind)}`, keyAdvice(key, kind));
    else if (seen.has(name) && kind.lists?.includes(name) !== true) problems.note(line, `${name}: it is there twice`);
    if (name !== undefined) seen.add(name);
  }
  const isMisspelt = section.entries.some(({ key }) => !kind.keys.some((known) => isSame(known, key)));
  for (const name of isMisspelt ? [] : (kind.required ?? [])) {
    if (!seen.has(name)) problems.note(section.line, `[${kind.name}] has no ${name}`);
  }
}

function place({ name }: SectionKind): string {
  return name === '' ? 'above the first section' : `in [${name}]`;
}

function sectionAdvice(name: string): string | undefined {
  const known = ELSEWHERE[name.toLowerCase()];
  if (known !== undefined) return known;
  const closest = closestWord(name, [...SECTION_KINDS.map((kind) => kind.name).filter(Boolean), 'Interface', 'Peer']);
  return closest === undefined ? undefined : `Did you mean [${closest}]?`;
}

function keyAdvice(key: string, kind: SectionKind): string | undefined {
  const known = ELSEWHERE[key.toLowerCase()];
  if (known !== undefined) return known;
  const closest = closestWord(key, kind.keys);
  return closest === undefined ? undefined : `Did you mean ${closest}?`;
}

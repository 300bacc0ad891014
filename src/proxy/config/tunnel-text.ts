import { isIP } from 'node:net';

import { type ConfigDocument, parseConfig } from '../../control/config/index.js';
import { WireGuardError } from '../../core/errors.js';
import type { ProxyTunnel } from '../proxy-config.js';
import type { FileProblems } from './file-problems.js';
import { cutIni, type IniEntry, type IniSection } from './ini-text.js';
import { isSame, isWireguardSection } from './section-kinds.js';
import { type Environment, expandValue, SectionReader } from './section-reader.js';

/** Seconds between pings; wireproxy has the same. */
export const CHECK_ALIVE_SECONDS = 5;
const MAX_CHECK_ALIVE_SECONDS = 86_400;
const ALIVE_KEYS = ['CheckAlive', 'CheckAliveInterval'];
/** wireproxy gives a peer without allowed IPs everything. Source: windtf/wireproxy wireguard.go (`CreateIPCRequest`). */
const EVERYTHING = '0.0.0.0/0, ::/0';

type Alive = Pick<ProxyTunnel, 'checkAlive' | 'checkAliveSeconds'>;

export interface TunnelText extends Alive {
  readonly document: ConfigDocument;
}

export interface TunnelTextOptions {
  readonly environment: Environment;
  readonly problems: FileProblems;
  /** Reads the text as wireproxy does: comments with `;`, quotes, and peers without allowed IPs. */
  readonly isWireproxys: boolean;
}

/**
 * Reads [Interface] and [Peer] of a text that may have other sections, `$NAME` for values, and the keys of wireproxy. All
 * lines keep their numbers.
 *
 * @throws {WireGuardError} ERR_CONFIG with everything that is wrong with the two sections
 */
export function readTunnelText(text: string, options: TunnelTextOptions): TunnelText {
  const { problems, environment, isWireproxys } = options;
  const sections = cutIni(text).filter(isWireguardSection);
  const alive = readAlive(sections, environment, problems);
  const plain = plainText(text, sections, options);
  problems.throwIfAny();
  const document = parseConfig(plain, problems.fileName);
  document.assertValid();
  for (const peer of isWireproxys ? document.peers : []) {
    if (peer.section.entries('AllowedIPs').length === 0) peer.set('AllowedIPs', EVERYTHING);
  }
  return { document, ...alive };
}

/** Reads the addresses that are pinged, wherever they stand: [Interface] or [Tunnel NAME]. */
export function readAliveKeys(reader: SectionReader): Alive | undefined {
  if (reader.has('CheckAliveInterval') && !reader.has('CheckAlive'))
    reader.note('CheckAliveInterval', 'there is no CheckAlive', 'Add CheckAlive = ADDRESS, or remove this line.');
  const checkAlive = reader.read('CheckAlive', parseAddresses);
  const seconds = reader.number('CheckAliveInterval', 1, MAX_CHECK_ALIVE_SECONDS);
  return checkAlive && { checkAlive, checkAliveSeconds: seconds ?? CHECK_ALIVE_SECONDS };
}

function readAlive(sections: readonly IniSection[], environment: Environment, problems: FileProblems): Alive {
  const own = sections.filter(({ name }) => isSame(name, 'Interface'));
  const alive = own.map((section) => readAliveKeys(new SectionReader(section, environment, problems)));
  return alive.findLast((found) => found !== undefined) ?? { checkAlive: [], checkAliveSeconds: CHECK_ALIVE_SECONDS };
}

function parseAddresses(value: string): string[] {
  const addresses = value.split(',').map((item) => item.trim());
  if (addresses.every((address) => isIP(address) !== 0)) return addresses;
  throw new WireGuardError('ERR_VALUE', 'it is a list of IP addresses with commas between them');
}

/** Replaces the lines that only a proxy understands. */
function plainText(
  text: string,
  sections: readonly IniSection[],
  { environment, problems, isWireproxys }: TunnelTextOptions,
): string {
  const lines = text.split('\n');
  const kept = isWireproxys ? lines.map(() => '') : lines;
  for (const section of isWireproxys ? sections : []) {
    // Comments stay: they have the names of the peers.
    for (let number = section.line; number < section.endLine; number++)
      kept[number - 1] = commentOf(lines[number - 1]!);
    kept[section.line - 1] = `[${section.name}]`;
    for (const line of section.strayLines) kept[line - 1] = lines[line - 1]!;
  }
  for (const entry of sections.flatMap(({ entries }) => entries)) {
    const number = entry.line - 1;
    if (ALIVE_KEYS.some((key) => isSame(key, entry.key))) kept[number] = '';
    else if (isWireproxys || entry.value.startsWith('$')) kept[number] = plainLine(entry, environment, problems);
  }
  return kept.join('\n');
}

function commentOf(line: string): string {
  return /^\s*#/.test(line) ? line : '';
}

function plainLine({ key, value, line }: IniEntry, environment: Environment, problems: FileProblems): string {
  const expanded = expandValue(value, environment);
  if (expanded === undefined) problems.note(line, `${key}: there is no environment variable of this name`);
  return `${key} = ${(expanded ?? '').trim()}`;
}

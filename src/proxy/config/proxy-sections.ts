import path from 'node:path';

import { WireGuardError } from '../../core/errors.js';
import type { Destination } from '../exit.js';
import type { Credentials, Forward, ProxyListener, ProxyTunnel } from '../proxy-config.js';
import { parseRule } from '../rules/parse-rule.js';
import type { Rule } from '../rules/rule.js';
import type { IniSection } from './ini-text.js';
import { parseDestination, parseListenAddress, parseTarget } from './place-text.js';
import { isSame } from './section-kinds.js';
import type { SectionReader } from './section-reader.js';

type Readers = readonly (readonly [IniSection, SectionReader])[];

/** Everything that a file opens to programs. */
export interface ProxyEnds {
  readonly rules: readonly Rule[];
  readonly listeners: readonly ProxyListener[];
  readonly forwards: readonly Forward[];
  readonly stdio?: Destination;
}

const MAX_PORT = 65_535;
const MAX_IDLE_SECONDS = 86_400;
const FAMILIES = ['auto', 'ipv4', 'ipv6'] as const;

/** Reads the listeners, forwards and rules. @param folder Files are named relative to it. */
export function readEnds(readers: Readers, folder: string): ProxyEnds {
  const of = (...names: readonly string[]): Readers =>
    readers.filter(([{ name }]) => names.some((known) => isSame(known, name)));
  const stdio = of('STDIOTunnel').map(([, reader]) => reader);
  const targets = stdio.flatMap((reader) => reader.read('Target', parseDestination) ?? []);
  stdio[1]?.note('Target', 'there is a [STDIOTunnel] above: a process has one standard input');
  return {
    rules: of('Rules').flatMap(([, reader]) => reader.all('Rule', parseRule)),
    listeners: of('Socks5', 'http', 'Proxy').flatMap(([{ name }, reader]) => readListener(name, reader, folder)),
    forwards: of('TCPClientTunnel', 'TCPServerTunnel', 'UDPProxyTunnel').flatMap(([{ name }, reader]) =>
      readForward(name, reader, folder),
    ),
    ...(targets[0] === undefined ? {} : { stdio: targets[0] }),
  };
}

/** Reads which addresses of a name are used, from [Resolve]; the last section counts. */
export function readFamily(readers: Readers): ProxyTunnel['family'] {
  const sections = readers.filter(([{ name }]) => isSame(name, 'Resolve'));
  const found = sections.map(([, reader]) => reader.read('ResolveStrategy', parseFamily));
  return found.findLast((family) => family !== undefined) ?? 'auto';
}

/** @throws {WireGuardError} ERR_VALUE */
export function parseFamily(value: string): ProxyTunnel['family'] {
  const family = FAMILIES.find((known) => isSame(known, value));
  if (family === undefined) throw new WireGuardError('ERR_VALUE', 'it is auto, ipv4 or ipv6');
  return family;
}

function readListener(name: string, reader: SectionReader, folder: string): ProxyListener[] {
  const at = reader.read('BindAddress', (value) => relativeTo(folder, parseListenAddress(value)));
  const credentials = readCredentials(reader);
  const certificate = isSame(name, 'http') ? readCertificate(reader, folder) : undefined;
  if (at === undefined) return [];
  const protocol = isSame(name, 'Socks5') ? 'socks5' : isSame(name, 'http') ? 'http' : 'any';
  return [{ protocol, at, ...(credentials && { credentials }), ...(certificate && { certificate }) }];
}

function readCredentials(reader: SectionReader): Credentials | undefined {
  const [username, password] = [reader.text('Username'), reader.text('Password')];
  if (username !== undefined && password !== undefined && username !== '') return { username, password };
  if (username !== undefined && username !== '' && !reader.has('Password'))
    reader.note('Username', 'there is no Password');
  if (password !== undefined && !reader.has('Username')) reader.note('Password', 'there is no Username');
  return undefined;
}

function readCertificate(reader: SectionReader, folder: string): ProxyListener['certificate'] {
  const resolve = (file: string): string => path.resolve(folder, file);
  const [certFile, keyFile] = [reader.read('CertFile', resolve), reader.read('KeyFile', resolve)];
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile !== undefined && !reader.has('KeyFile')) reader.note('CertFile', 'there is no KeyFile');
  if (keyFile !== undefined && !reader.has('CertFile')) reader.note('KeyFile', 'there is no CertFile');
  return undefined;
}

function readForward(name: string, reader: SectionReader, folder: string): Forward[] {
  const tunnel = reader.text('Tunnel');
  const named = tunnel === undefined ? {} : { tunnel };
  if (isSame(name, 'TCPServerTunnel')) {
    const port = reader.number('ListenPort', 0, MAX_PORT);
    const to = reader.read('Target', (value) => relativeTo(folder, parseTarget(value)));
    if (port === undefined || to === undefined) return [];
    return [{ direction: 'remote', protocol: 'tcp', from: { host: '', port }, to, ...named }];
  }
  const from = reader.read('BindAddress', (value) => relativeTo(folder, parseListenAddress(value)));
  const to = reader.read('Target', parseDestination);
  const protocol = isSame(name, 'UDPProxyTunnel') ? 'udp' : 'tcp';
  const idle = reader.number('InactivityTimeout', 0, MAX_IDLE_SECONDS) ?? 0;
  if (from !== undefined && protocol === 'udp' && 'path' in from)
    reader.note('BindAddress', 'a UNIX socket carries no datagrams here');
  if (from === undefined || to === undefined) return [];
  return [{ direction: 'local', protocol, from, to, ...named, ...(idle > 0 && { idleSeconds: idle }) }];
}

function relativeTo<T extends object>(folder: string, place: T | { readonly path: string }): T | { path: string } {
  return 'path' in place ? { path: path.resolve(folder, place.path) } : place;
}

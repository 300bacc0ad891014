import type { ConfigDocument } from '../../control/config/config-document.js';
import { parseConfig } from '../../control/config/parse-config.js';
import { parseIpPrefix } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { overlaps } from './address-range.js';
import { checkDns, checkEndpoint, readNote } from './client-notes.js';
import type { HookLine } from './forwarding-hooks.js';
import type { HostNetwork } from './host-network.js';
import { checkPeerName } from './option-values.js';

const SUBNET_TRIES = 1_000;

/** The contents of a new file. */
export interface ServerSettings {
  /** The key in base64. */
  readonly privateKey: string;
  /** Addresses with prefix lengths, IPv4 first. */
  readonly addresses: readonly string[];
  readonly listenPort: number;
  /** Where clients reach the server, HOST:PORT. */
  readonly endpoint: string | undefined;
  /** Name servers for clients that send everything through the tunnel. */
  readonly clientDns: string | undefined;
  readonly hooks: readonly HookLine[];
}

/** Settings for clients, which are comments in the server's file. */
export interface ClientDefaults {
  /** The name of the server in files of clients. */
  readonly name: string | undefined;
  readonly endpoint: string | undefined;
  readonly dns: string | undefined;
}

/** Makes a server's file. @param fileName The name in messages about the file. */
export function makeServerConfig(settings: ServerSettings, fileName: string): ConfigDocument {
  const document = parseConfig('', fileName);
  const section = document.ensureInterface();
  for (const address of settings.addresses) section.append('Address', address);
  section.set('ListenPort', String(settings.listenPort));
  section.set('PrivateKey', settings.privateKey);
  for (const [name, command] of settings.hooks) section.append(name, command);

  const comments = [
    settings.endpoint === undefined ? '' : `# ClientEndpoint = ${settings.endpoint}\n`,
    settings.clientDns === undefined ? '' : `# ClientDNS = ${settings.clientDns}\n`,
  ];
  return parseConfig(document.text.replace('[Interface]\n', `[Interface]\n${comments.join('')}`), fileName);
}

/** Reads the settings for clients. @throws {WireGuardError} ERR_CONFIG if a comment is invalid. */
export function readClientDefaults(document: ConfigDocument): ClientDefaults {
  const lines = document.sections.filter(({ kind }) => kind === 'interface').flatMap(({ body }) => body);
  const find = (name: string) => {
    const pattern = new RegExp(`^#\\s*${name}\\s*=\\s*(.+?)\\s*$`, 'i');
    return lines.map(({ raw }) => pattern.exec(raw.trim())?.[1]).find((value) => value !== undefined);
  };
  const { fileName } = document;
  return {
    name: readNote(fileName, 'Name', find('Name'), (text) => checkPeerName(text)),
    endpoint: readNote(fileName, 'ClientEndpoint', find('ClientEndpoint'), checkEndpoint),
    dns: readNote(fileName, 'ClientDNS', find('ClientDNS'), checkDns),
  };
}

/**
 * Picks a subnet of 254 addresses that is not in use: 10.X.Y.0/24, at random, since a common choice collides when two
 * networks are joined.
 */
export function pickSubnet4(host: HostNetwork, used: readonly IpPrefix[]): string {
  for (let i = 0; i < SUBNET_TRIES; i++) {
    const [a, b] = host.random(2);
    const subnet = `10.${a}.${b}`;
    if (!used.some((network) => overlaps(network, prefix(`${subnet}.0/24`)))) return `${subnet}.1/24`;
  }
  return '10.66.66.1/24';
}

/** Picks a unique local subnet (RFC 4193 §3.2.2: 40 random bits). */
export function pickSubnet6(host: HostNetwork): string {
  const [a, b, c, d, e] = [...host.random(5)].map((byte) => byte.toString(16).padStart(2, '0'));
  return `fd${a}:${b}${c}:${d}${e}::1/64`;
}

/** Picks the first free port from 51820 on. @param used Ports of interfaces that may be down. */
export function pickPort(host: HostNetwork, used: ReadonlySet<number>): number {
  let port = 51_820;
  while (port < 65_535 && (used.has(port) || host.isUdpPortUsed(port))) port++;
  return port;
}

function prefix(text: string): IpPrefix {
  return parseIpPrefix(text)!;
}

import { existsSync } from 'node:fs';

import { ConfigDocument, parseConfig, readConfigFile } from '../control/config/index.js';
import { WireGuardError } from '../core/errors.js';

/** One peer in a configuration that is an object. */
export interface PeerConfig {
  /** Base64. */
  readonly publicKey: string;
  /** Base64. */
  readonly presharedKey?: string;
  /** `HOST:PORT`. Absent: the peer comes to us. */
  readonly endpoint?: string;
  readonly allowedIps: readonly string[];
  readonly persistentKeepalive?: number;
}

/** A configuration as an object, with the words of a file. */
export interface TunnelConfig {
  /** Base64. */
  readonly privateKey: string;
  /** Addresses of this host, with or without a prefix length. */
  readonly addresses: readonly string[];
  readonly dns?: readonly string[];
  readonly mtu?: number;
  readonly listenPort?: number;
  readonly peers: readonly PeerConfig[];
}

/**
 * Reads a configuration: an object, the path of a file, or the text of one (which has a line break, or a section in front). A
 * file that was read before is checked.
 *
 * @throws {WireGuardError} ERR_CONFIG, naming line and key; ERR_CONFIG_FILE
 */
export async function readTunnelConfig(config: string | URL | TunnelConfig | ConfigDocument): Promise<ConfigDocument> {
  const document = config instanceof ConfigDocument ? config : await readDocument(config);
  document.assertValid();
  if (document.interfaceSection?.privateKey === undefined) throw missing(document, 'PrivateKey');
  if (document.interfaceSection.addresses.length === 0) throw missing(document, 'Address');
  return document;
}

async function readDocument(config: string | URL | TunnelConfig): Promise<ConfigDocument> {
  if (config instanceof URL) return await readConfigFile(config.pathname);
  if (typeof config === 'object') return parseConfig(formatConfig(config), 'the configuration');
  const isText = config.includes('\n') || config.trimStart().startsWith('[');
  if (isText && !existsSync(config)) return parseConfig(config, 'the configuration');
  return await readConfigFile(config);
}

function missing({ fileName }: ConfigDocument, key: string): WireGuardError {
  return new WireGuardError('ERR_CONFIG', `${fileName}: [Interface] has no ${key}, which a tunnel in a program needs`);
}

function formatConfig(config: TunnelConfig): string {
  const lines = [
    '[Interface]',
    line('PrivateKey', config.privateKey),
    line('Address', config.addresses?.join(', ')),
    line('DNS', config.dns?.join(', ')),
    line('MTU', config.mtu),
    line('ListenPort', config.listenPort),
  ];
  for (const peer of config.peers ?? []) {
    lines.push(
      '[Peer]',
      line('PublicKey', peer.publicKey),
      line('PresharedKey', peer.presharedKey),
      line('Endpoint', peer.endpoint),
      line('AllowedIPs', peer.allowedIps?.join(', ')),
      line('PersistentKeepalive', peer.persistentKeepalive),
    );
  }
  return `${lines.filter((text) => text !== '').join('\n')}\n`;
}

/** A value with a line break would become a line of its own. */
function line(key: string, value: string | number | undefined): string {
  if (value === undefined || value === '') return '';
  if (/[\r\n]/.test(String(value)))
    throw new WireGuardError('ERR_CONFIG', `the configuration: ${key} has a line break`);
  return `${key} = ${value}`;
}

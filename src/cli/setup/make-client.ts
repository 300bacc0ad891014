import { formatConfigEndpoint } from '../../control/config/peer-values.js';
import { formatIpAddress, formatIpPrefix, parseIpAddress } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { publicKeyOf } from '../wg/key-pair.js';
import { networkOf } from './address-range.js';
import type { ClientSettings } from './client-config.js';
import { freeAddresses } from './free-addresses.js';
import type { HostNetwork } from './host-network.js';
import { newPresharedKey, newPrivateKey } from './new-key.js';
import { readClientDefaults } from './server-config.js';
import type { ServerFile } from './server-file.js';

/** What the user wants of a client; the rest is picked. */
export interface ClientWishes {
  readonly name: string;
  /** Send everything through the tunnel, not only what is for the server's subnets. */
  readonly isFull: boolean;
  /** Networks that go through the tunnel besides the server's subnets. */
  readonly reach: readonly string[];
  /** The client makes its private key itself. */
  readonly keepsKey: boolean;
  readonly hasPresharedKey: boolean;
  readonly addresses: readonly string[] | undefined;
  readonly endpoint: string | undefined;
  readonly dns: string | undefined;
  readonly persistentKeepalive: number;
}

/**
 * Makes a client for a server: addresses, keys, and where the server is.
 *
 * @throws {WireGuardError} ERR_CONFIG if the server's file has no key, ERR_NO_ADDRESS, ERR_NO_ENDPOINT
 */
export function makeClient(host: HostNetwork, file: ServerFile, wishes: ClientWishes): ClientSettings {
  const { document } = file;
  const defaults = readClientDefaults(document);
  const addresses = wishes.addresses ?? freeAddresses(document).map((address) => singleAddress(address));
  return {
    name: wishes.name,
    privateKey: wishes.keepsKey ? undefined : newPrivateKey(host),
    addresses,
    dns: wishes.dns ?? (wishes.isFull ? defaults.dns : undefined),
    mtu: document.interfaceSection?.mtu,
    serverPublicKey: serverPublicKey(file),
    presharedKey: wishes.hasPresharedKey ? newPresharedKey(host) : undefined,
    allowedIps: wishes.isFull ? ['0.0.0.0/0', '::/0'] : [...new Set([...subnetsOf(file), ...wishes.reach])],
    endpoint: wishes.endpoint ?? defaults.endpoint ?? guessEndpoint(host, file),
    persistentKeepalive: wishes.persistentKeepalive,
  };
}

/** Tests whether an address cannot be reached from the internet (RFC 1918, RFC 6598, RFC 4193). */
export function isPrivateAddress(text: string): boolean {
  const address = parseIpAddress(text);
  if (address === undefined) return false;
  const [a, b] = address as unknown as [number, number];
  if (address.length === 16) return (a & 0xfe) === 0xfc || (a === 0xfe && (b & 0xc0) === 0x80);
  return (
    a === 10 || a === 127 || (a === 172 && b >> 4 === 1) || (a === 192 && b === 168) || (a === 100 && b >> 6 === 1)
  );
}

function serverPublicKey({ document, path }: ServerFile): string {
  const privateKey = document.interfaceSection?.privateKey;
  if (privateKey === undefined) {
    throw new WireGuardError('ERR_CONFIG', `${path} has no PrivateKey: clients could not know the server's public key`);
  }
  try {
    return formatKey(publicKeyOf(privateKey));
  } finally {
    privateKey.fill(0);
  }
}

function subnetsOf({ document, path }: ServerFile): string[] {
  const subnets = (document.interfaceSection?.addresses ?? []).map((address) => formatIpPrefix(networkOf(address)));
  if (subnets.length === 0) throw new WireGuardError('ERR_NO_ADDRESS', `${path} has no Address`);
  return [...new Set(subnets)];
}

/** The machine's own address and the port of the file. */
function guessEndpoint(host: HostNetwork, { document, path }: ServerFile): string {
  const port = document.interfaceSection?.listenPort ?? 0;
  if (port === 0) throw new WireGuardError('ERR_NO_ENDPOINT', `${path} has no ListenPort`);
  const out = host.defaultInterface(4) ?? host.defaultInterface(6);
  const address = out === undefined ? undefined : host.addressOf(out);
  if (address === undefined)
    throw new WireGuardError('ERR_NO_ENDPOINT', 'this machine has no address that clients could reach');
  return formatConfigEndpoint({ host: address, port });
}

function singleAddress(address: Uint8Array): string {
  return `${formatIpAddress(address)}/${8 * address.length}`;
}

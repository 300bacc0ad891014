import { formatConfigEndpoint } from '../../control/config/peer-values.js';
import { formatIpPrefix, networkOf, parseIpAddress } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { publicKeyOf } from '../wg/key-pair.js';
import type { ClientSettings } from './client-config.js';
import type { ClientNotes } from './client-notes.js';
import { type ClientWishes, DEFAULT_KEEPALIVE } from './client-options.js';
import type { HostNetwork } from './host-network.js';
import { newPresharedKey, newPrivateKey, publicKeyText } from './new-key.js';
import { refuseTakenKey } from './new-peer-rules.js';
import { readClientDefaults } from './server-config.js';
import type { ServerFile } from './server-file.js';

/** The plan for a new client. */
export interface ClientPlan {
  readonly name: string;
  /** Addresses with prefix lengths. */
  readonly addresses: readonly string[];
  readonly wishes: ClientWishes;
  readonly notes: ClientNotes;
}

/** A client, and the notes that reproduce it. */
export interface MadeClient {
  readonly client: ClientSettings;
  readonly notes: ClientNotes;
}

const DEFAULT_KEEPALIVE_SECONDS = Number(DEFAULT_KEEPALIVE);
const EVERYTHING = ['0.0.0.0/0', '::/0'];

/**
 * Makes a client for a server: its keys, and how it reaches the server.
 *
 * @throws {WireGuardError} ERR_CONFIG if the server's file has no key, ERR_NO_ADDRESS, ERR_NO_ENDPOINT, ERR_PEER for a
 *   public key that is taken.
 */
export function makeClient(host: HostNetwork, file: ServerFile, plan: ClientPlan): MadeClient {
  const { document } = file;
  const { wishes } = plan;
  const defaults = readClientDefaults(document);
  const notes = chooseNotes(file, plan);
  const serverKey = serverPublicKey(file);
  if (wishes.publicKey !== undefined) refuseTakenKey(document, wishes.publicKey, serverKey);
  const privateKey = wishes.publicKey === undefined ? newPrivateKey(host) : undefined;
  const allowedIps = notes.allowedIps ?? subnetsOf(file);
  const endpoint = notes.endpoint ?? defaults.endpoint ?? guessEndpoint(host, file);
  const client: ClientSettings = {
    name: plan.name,
    privateKey,
    publicKey: wishes.publicKey ?? publicKeyText(privateKey!),
    addresses: plan.addresses,
    dns: notes.dns ?? (allowedIps.some((range) => range.endsWith('/0')) ? defaults.dns : undefined),
    mtu: document.interfaceSection?.mtu,
    serverName: defaults.name ?? hostOf(endpoint),
    serverPublicKey: serverKey,
    presharedKey: wishes.hasPresharedKey ? newPresharedKey(host) : undefined,
    allowedIps,
    endpoint,
    persistentKeepalive: notes.persistentKeepalive ?? DEFAULT_KEEPALIVE_SECONDS,
  };
  return { client, notes };
}

/** Returns the host in HOST:PORT, without the brackets of an IPv6 address. */
export function hostOf(endpoint: string): string {
  return endpoint.replace(/:[0-9]+$/, '').replace(/[[\]]/g, '');
}

function chooseNotes(file: ServerFile, { wishes, notes }: ClientPlan): ClientNotes {
  const { isFull, reach, dns, endpoint, persistentKeepalive = notes.persistentKeepalive } = wishes;
  const split = reach === undefined ? undefined : [...new Set([...subnetsOf(file), ...reach])];
  const isAsBefore = isFull === undefined && reach === undefined;
  return {
    allowedIps: isAsBefore ? notes.allowedIps : isFull === true ? EVERYTHING : split,
    dns: dns ?? notes.dns,
    endpoint: endpoint ?? notes.endpoint,
    persistentKeepalive: persistentKeepalive === DEFAULT_KEEPALIVE_SECONDS ? undefined : persistentKeepalive,
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
    throw new WireGuardError('ERR_CONFIG', `${path} has no PrivateKey: clients need the server's public key`);
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

/** Returns the host's own address with the port of the file. */
function guessEndpoint(host: HostNetwork, { document, path }: ServerFile): string {
  const port = document.interfaceSection?.listenPort ?? 0;
  if (port === 0) throw new WireGuardError('ERR_NO_ENDPOINT', `${path} has no ListenPort`);
  const endpoint = guessAddress(host, port);
  if (endpoint !== undefined) return endpoint;
  throw new WireGuardError('ERR_NO_ENDPOINT', 'this host has no address that clients could reach');
}

/** Returns the host's own address with a port; `undefined` without a default route. */
export function guessAddress(host: HostNetwork, port: number): string | undefined {
  const out = host.defaultInterface(4) ?? host.defaultInterface(6);
  const address = out === undefined ? undefined : host.addressOf(out);
  return address === undefined ? undefined : formatConfigEndpoint({ host: address, port });
}

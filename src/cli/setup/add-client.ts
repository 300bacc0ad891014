import type { PeerSection } from '../../control/config/peer-section.js';
import { parseIpPrefix } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import { newPeerChange } from '../wg/set-arguments.js';
import { clearChange, type WgPeerChange } from '../wg/wg-change.js';
import type { WgContext } from '../wg/wg-context.js';
import { covers } from './address-range.js';
import type { ClientSettings } from './client-config.js';
import { writeClientNotes } from './client-notes.js';
import { setExpiry } from './expiry.js';
import type { MadeClient } from './make-client.js';
import { refuseTakenName } from './new-peer-rules.js';
import { type HeldServerFile, type ServerFile, saveAndApply } from './server-file.js';

/** Additions to the server's file besides the client itself. */
export interface PeerExtras {
  /** Networks behind the client, in addition to its own addresses. */
  readonly networks: readonly string[];
  /** Milliseconds since 1970; `undefined`: the peer never expires. */
  readonly expiryMs: number | undefined;
}

/** The result of adding a client. */
export interface AddedClient {
  /** The interface runs, and has the peer. */
  readonly isRunning: boolean;
  /** A message for the user. */
  readonly note: string;
}

/**
 * Adds a client to the server's file, and to the running interface.
 *
 * @throws {WireGuardError} ERR_PEER for a name that is taken, and every error of `saveAndApply`.
 */
export async function addClient(
  context: WgContext,
  file: HeldServerFile,
  { client, notes }: MadeClient,
  { networks, expiryMs }: PeerExtras,
): Promise<AddedClient> {
  const { document } = file;
  refuseTakenName(document, client.name);
  const oldText = document.text;
  const allowedIps = [...client.addresses, ...networks];
  const peer = document.addPeer(client.publicKey, client.name);
  writeClientNotes(peer, notes);
  setExpiry(peer, expiryMs);
  setKeys(peer, client.publicKey, client.presharedKey);
  peer.set('AllowedIPs', allowedIps.join(', '));

  const change = { replacePeers: false, peers: [addition(client.publicKey, client.presharedKey, allowedIps)] };
  try {
    const isRunning = await saveAndApply(context, file, oldText, change);
    const outside = client.addresses.filter((address) => !isInSubnet(file, address));
    return { isRunning, note: describe(client, file, isRunning, [...outside, ...networks]) };
  } finally {
    clearChange(change);
  }
}

/** Writes the keys of a peer; without a preshared key, the line is removed. */
export function setKeys(peer: PeerSection, publicKey: string, presharedKey: string | undefined): void {
  peer.set('PublicKey', publicKey);
  if (presharedKey === undefined) peer.delete('PresharedKey');
  else peer.set('PresharedKey', presharedKey);
}

function addition(publicKey: string, presharedKey: string | undefined, allowedIps: readonly string[]): WgPeerChange {
  return {
    ...newPeerChange(parseKey(publicKey, 'public key')),
    ...(presharedKey === undefined ? {} : { presharedKey: parseKey(presharedKey, 'preshared key') }),
    replaceAllowedIps: true,
    allowedIps: [...allowedIps],
  };
}

function isInSubnet({ document }: ServerFile, address: string): boolean {
  const range = parseIpPrefix(address)!;
  return (document.interfaceSection?.addresses ?? []).some((own) => covers(own, range));
}

function describe(
  { name, addresses }: ClientSettings,
  { interfaceName, path }: ServerFile,
  isRunning: boolean,
  routed: readonly string[],
): string {
  const added = `Added ${name} (${addresses.join(', ')}) to ${path}`;
  if (!isRunning) return `${added}; ${interfaceName} is not running, so the change takes effect when it starts.\n`;
  const routes =
    routed.length === 0 ? '' : `${routed.join(', ')} need routes on this host: wiretype reload ${interfaceName}\n`;
  return `${added} and to the running interface.\n${routes}`;
}

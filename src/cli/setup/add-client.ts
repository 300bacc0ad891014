import { parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { newPeerChange } from '../wg/set-arguments.js';
import { clearChange, type WgChange } from '../wg/wg-change.js';
import type { WgContext } from '../wg/wg-context.js';
import type { ClientSettings } from './client-config.js';
import { publicKeyText } from './new-key.js';
import { type HeldServerFile, saveAndApply } from './server-file.js';

/** What became of a client. */
export interface AddedClient {
  readonly publicKey: string;
  /** The interface runs, and has the peer. */
  readonly isRunning: boolean;
  /** What to tell the user. */
  readonly note: string;
}

/**
 * Writes a client into the server's file, and into the running interface.
 *
 * @param ownKey The public key of a client that keeps its private key.
 * @param networks Behind the client, besides its own addresses.
 * @throws {WireGuardError} ERR_PEER for a name that is taken, ERR_CONFIG for a key that is; what `saveAndApply` throws.
 */
export async function addClient(
  context: WgContext,
  file: HeldServerFile,
  client: ClientSettings,
  ownKey: string | undefined,
  networks: readonly string[],
): Promise<AddedClient> {
  const { document, interfaceName, path } = file;
  if (document.peers.some(({ name }) => name === client.name)) {
    throw new WireGuardError('ERR_PEER', `${path} has a peer "${client.name}" already`);
  }
  const oldText = document.text;
  const publicKey = ownKey ?? publicKeyText(client.privateKey!);
  const allowedIps = [...client.addresses, ...networks];
  const peer = document.addPeer(publicKey, client.name);
  if (client.presharedKey !== undefined) peer.set('PresharedKey', client.presharedKey);
  peer.set('AllowedIPs', allowedIps.join(', '));

  const change = toChange(publicKey, client.presharedKey, allowedIps);
  try {
    const isRunning = await saveAndApply(context, file, oldText, change);
    return { publicKey, isRunning, note: describe(client, interfaceName, path, isRunning, networks.length > 0) };
  } finally {
    clearChange(change);
  }
}

function toChange(publicKey: string, presharedKey: string | undefined, allowedIps: readonly string[]): WgChange {
  const peer = newPeerChange(parseKey(publicKey, 'public key'));
  return {
    replacePeers: false,
    peers: [
      {
        ...peer,
        ...(presharedKey === undefined ? {} : { presharedKey: parseKey(presharedKey, 'preshared key') }),
        replaceAllowedIps: true,
        allowedIps: [...allowedIps],
      },
    ],
  };
}

function describe(
  client: ClientSettings,
  interfaceName: string,
  path: string,
  isRunning: boolean,
  needsRoutes: boolean,
): string {
  const added = `Added ${client.name} with ${client.addresses.join(', ')} to ${path}`;
  if (!isRunning) return `${added}; ${interfaceName} does not run, so it counts from the next start.\n`;
  const routes = needsRoutes ? `Its networks need routes: wiretype reload ${interfaceName}\n` : '';
  return `${added} and to the running interface.\n${routes}`;
}

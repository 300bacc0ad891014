import type { ConfigDocument } from '../../control/config/config-document.js';
import { unlessInvalid } from '../unless-invalid.js';
import type { WgContext } from '../wg/wg-context.js';
import { disableInFile } from './disable-peer-command.js';
import { expiryOf, formatExpiry } from './expiry.js';
import { type FilePeer, filePeers } from './file-peers.js';
import { readServerFile, withServerFile } from './server-file.js';

/** A peer that was disabled because its time is over. */
export interface ExpiredPeer {
  readonly interface: string;
  readonly file: string;
  readonly name: string | null;
  readonly publicKey: string;
  /** ISO 8601, UTC. */
  readonly expires: string;
  /** The interface runs, and no longer has the peer. */
  readonly isRunning: boolean;
}

/**
 * Disables the peers of a file whose time is over. A file without such peers is neither locked nor written.
 *
 * @param target An interface, or a file.
 * Leaves an invalid note to `checkExpiries`, so that the note does not keep other peers in.
 *
 * @throws {WireGuardError} Every error of `disableInFile`.
 */
export async function expirePeers(context: WgContext, target: string): Promise<ExpiredPeer[]> {
  const { document } = await readServerFile(target);
  if (findExpired(document, context.unixTimeMs()).length === 0) return [];
  return await withServerFile(target, async (file) => {
    const expired: ExpiredPeer[] = [];
    for (;;) {
      // The search starts anew each time, since disabling one peer changes the document of the others.
      const [next] = findExpired(file.document, context.unixTimeMs());
      if (next === undefined) return expired;
      const { peer } = next;
      const expires = formatExpiry(expiryOf(peer, file.path)!);
      const isRunning = await disableInFile(context, file, next);
      const { interfaceName, path } = file;
      const { name = null, publicKeyText: publicKey } = peer;
      expired.push({ interface: interfaceName, file: path, name, publicKey, expires, isRunning });
    }
  });
}

/** Reads when the enabled peers of a file expire. @throws {WireGuardError} ERR_CONFIG for an invalid note. */
export async function checkExpiries(target: string): Promise<void> {
  const { document, path } = await readServerFile(target);
  for (const peer of document.peers) expiryOf(peer, path);
}

function findExpired(document: ConfigDocument, nowMs: number): FilePeer[] {
  return filePeers(document).filter(({ peer, disabled }) => {
    const expiryMs = disabled === undefined ? unlessInvalid(() => expiryOf(peer, document.fileName)) : undefined;
    return expiryMs !== undefined && expiryMs <= nowMs;
  });
}

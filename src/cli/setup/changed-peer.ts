import { parseKey } from '../../control/key-text.js';
import { formatJson } from '../json-text.js';
import { newPeerChange } from '../wg/set-arguments.js';
import type { WgChange } from '../wg/wg-change.js';
import type { WgContext } from '../wg/wg-context.js';
import type { ServerFile } from './server-file.js';

/** A peer that a command has changed, as its JSON shows it. */
export interface ChangedPeer {
  readonly interface: string;
  readonly file: string;
  readonly name: string | null;
  readonly publicKey: string;
  /** The interface runs, and has taken the change. */
  readonly isRunning: boolean;
}

/** Describes a change of a peer. */
export function changedPeer(
  { interfaceName, path }: ServerFile,
  name: string | undefined,
  publicKey: string,
  isRunning: boolean,
): ChangedPeer {
  return { interface: interfaceName, file: path, name: name ?? null, publicKey, isRunning };
}

/** Returns the change that removes a peer from the running interface. @param publicKey In base64. */
export function removalOf(publicKey: string): WgChange {
  return { replacePeers: false, peers: [{ ...newPeerChange(parseKey(publicKey, 'public key')), isRemoval: true }] };
}

/** Describes where a change has taken effect. */
export function effectText({ interfaceName, path }: ServerFile, isRunning: boolean): string {
  return isRunning ? `${path} and the running interface` : `${path} (${interfaceName} is not running)`;
}

/** Writes a result as JSON. */
export function writeJson({ io }: WgContext, value: unknown): void {
  io.write(formatJson(value));
}

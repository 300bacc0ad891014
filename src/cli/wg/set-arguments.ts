import type { ValueReader } from './value-reader.js';
import type { WgChange, WgPeerChange } from './wg-change.js';
import { WgFailure } from './wg-context.js';

const WHITE_SPACE = /[ \t-\r]+/g;

/**
 * Reads the words after `wg set IF`: words about the interface, then about one peer after the other.
 *
 * @throws {WgFailure} The caller clears the keys that `change` holds by then.
 */
export async function readSetArguments(values: ValueReader, words: readonly string[], change: WgChange): Promise<void> {
  for (let i = 0; i < words.length; ) {
    const word = words[i]!;
    const peer = change.peers.at(-1);
    if (word === 'remove' && peer !== undefined) {
      peer.isRemoval = true;
      i += 1;
      continue;
    }
    const value = words[i + 1];
    if (value === undefined || !(await readPair(values, change, word, value))) {
      throw new WgFailure(`Invalid argument: ${word}`);
    }
    i += 2;
  }
}

/** Returns a change of a peer without content. */
export function newPeerChange(publicKey: Uint8Array): WgPeerChange {
  return { publicKey, isRemoval: false, replaceAllowedIps: false, allowedIps: [] };
}

/** @returns Whether the word may stand here. */
async function readPair(values: ValueReader, change: WgChange, word: string, value: string): Promise<boolean> {
  const peer = change.peers.at(-1);
  if (word === 'peer') {
    change.peers.push(newPeerChange(values.publicKey(value)));
    return true;
  }
  if (peer === undefined) return readInterfacePair(values, change, word, value);
  return await readPeerPair(values, peer, word, value);
}

function readInterfacePair(values: ValueReader, change: WgChange, word: string, value: string): boolean {
  if (word === 'listen-port') change.listenPort = values.port(value);
  else if (word === 'fwmark') change.fwmark = values.fwmark(value);
  else if (word === 'private-key') change.privateKey = values.keyFile(value);
  else return false;
  return true;
}

async function readPeerPair(values: ValueReader, peer: WgPeerChange, word: string, value: string): Promise<boolean> {
  if (word === 'endpoint') peer.endpoint = await values.endpoint(value);
  else if (word === 'allowed-ips') values.addAllowedIps(peer, value.replace(WHITE_SPACE, ''));
  else if (word === 'persistent-keepalive') peer.persistentKeepaliveSeconds = values.keepalive(value);
  else if (word === 'preshared-key') peer.presharedKey = values.keyFile(value);
  else return false;
  return true;
}

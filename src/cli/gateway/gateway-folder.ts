import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { formatKey, parseKey } from '../../control/key-text.js';
import { generateKeyPair } from '../../crypto/key-pair.js';

const KEY_FILE = 'private.key';
const SOCKET_FILE = 'control.sock';

/** The folder of a gateway: chosen, or under the state directory of the user (XDG Base Directory Specification). */
export function gatewayFolder(
  chosen: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (chosen !== undefined) return chosen;
  const state = environment['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state');
  return join(state, 'wiretype', 'gateway');
}

export function socketPath(folder: string): string {
  return join(folder, SOCKET_FILE);
}

/** Reads the private key of a gateway, or makes one at the first run, in a file of mode 0600. The caller clears it. */
export function readOrMakeKey(folder: string): Uint8Array {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, KEY_FILE);
  if (existsSync(path)) return parseKey(readFileSync(path, 'latin1').trim(), path);
  const { privateKey } = generateKeyPair();
  writeKey(folder, privateKey);
  return privateKey;
}

/** Writes the private key of a gateway that has none. @throws If there is one. */
export function writeKey(folder: string, privateKey: Uint8Array): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const descriptor = openSync(join(folder, KEY_FILE), 'wx', 0o600);
  try {
    writeSync(descriptor, `${formatKey(privateKey)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

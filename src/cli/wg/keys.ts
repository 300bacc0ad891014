import { randomFillSync } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { formatKey, parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { isWhiteSpace } from './c-text.js';
import { clamp, publicKeyOf } from './key-pair.js';
import { type WgContext, WgFailure } from './wg-context.js';

const KEY_BYTES = 32;
const KEY_CHARACTERS = 44;
/** The limit of white space after the key, at which an endless input ends. */
const MAX_INPUT_BYTES = 2 ** 20;
const NUL = 0;
const OTHERS_MAY = 0o007;
const STDOUT = 1;

/** Writes a new private key, or 32 random bytes for a preshared key. */
export function generateKey(context: WgContext, kind: 'private' | 'preshared'): void {
  if (isWorldAccessible()) {
    context.io.writeError(
      'Warning: writing to world accessible file.\nConsider setting the umask to 077 and trying again.\n',
    );
  }
  const key = randomFillSync(new Uint8Array(KEY_BYTES));
  if (kind === 'private') clamp(key);
  context.io.write(`${formatKey(key)}\n`);
  key.fill(0);
}

/** Reads a private key from standard input and writes its public key. @throws {WgFailure} */
export async function writePublicKey({ io, program }: WgContext): Promise<void> {
  const input = Buffer.from(await io.readInput(MAX_INPUT_BYTES));
  try {
    const trailing = input.subarray(KEY_CHARACTERS);
    if (input.length === MAX_INPUT_BYTES || trailing.some((byte) => byte !== NUL && !isWhiteSpace(byte))) {
      throw new WgFailure(`${program}: Trailing characters found after key`);
    }
    const privateKey = readPrivateKey(input.toString('latin1', 0, KEY_CHARACTERS), program);
    io.write(`${formatKey(publicKeyOf(privateKey))}\n`);
    privateKey.fill(0);
  } finally {
    input.fill(0);
  }
}

function readPrivateKey(text: string, program: string): Uint8Array {
  try {
    return parseKey(text, 'private key');
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    throw new WgFailure(`${program}: Key is not the correct length or format`);
  }
}

/** Tests whether standard output is a file that others than owner and group may access. */
function isWorldAccessible(): boolean {
  const { mode } = fstatSync(STDOUT);
  return (mode & 0o170000) === 0o100000 && (mode & OTHERS_MAY) !== 0;
}

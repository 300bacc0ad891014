import { decodeByte } from '../../control/byte-text.js';
import { hasHostBits } from '../../control/config/peer-values.js';
import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { isWhiteSpace, lowerAscii } from './c-text.js';
import { InputFile } from './input-file.js';
import type { WgPeerChange } from './wg-change.js';
import { WgFailure } from './wg-context.js';

const KEY_BYTES = 32;
const KEY_CHARACTERS = 44;
const MAX_U32 = 0xffff_ffff;
const MAX_U16 = 0xffff;
/** The limit of white space after a key in a file, at which an endless file ends. */
const MAX_KEY_FILE_BYTES = 2 ** 20;

/**
 * The values of `wg set` and of configuration files, read exactly as `wg` reads them.
 *
 * Source: wg(8); rules that wg(8) leaves open were found by running `wg`. All functions throw `WgFailure`.
 */

/** @param isSecret Keeps the text out of the message, which `wg` itself does not. */
export function parseKeyArgument(text: string, isSecret: boolean): Uint8Array {
  try {
    return parseKey(text, 'key');
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    throw new WgFailure(`Key is not the correct length or format: \`${isSecret ? '(hidden)' : text}'`);
  }
}

/**
 * Reads a file that holds a key and trailing white space. An empty file stands for no key: 32 zero bytes.
 *
 * Only a seekable file counts as empty: an empty pipe means a program that failed.
 */
export function readKeyFile(path: string): Uint8Array {
  const file = InputFile.open(path);
  const bytes = file.read(MAX_KEY_FILE_BYTES);
  try {
    if (bytes.length === 0 && file.canSeek) return new Uint8Array(KEY_BYTES);
    return parseKeyBytes(bytes);
  } finally {
    file.close();
    bytes.fill(0);
  }
}

/** Parses a key. Its text lives on until the garbage collector takes it, since JavaScript cannot clear it. */
function parseKeyBytes(bytes: Buffer): Uint8Array {
  if (bytes.length < KEY_CHARACTERS) throw new WgFailure('Invalid length key in key file');
  const trailing = bytes.subarray(KEY_CHARACTERS).find((byte) => !isWhiteSpace(byte));
  if (trailing !== undefined || bytes.length === MAX_KEY_FILE_BYTES) {
    throw new WgFailure(`Found trailing character in key file: \`${decodeByte(trailing ?? bytes.at(-1)!)}'`);
  }
  return parseKeyArgument(bytes.toString('latin1', 0, KEY_CHARACTERS), true);
}

/** Parses a firewall mark; 0: off. */
export function parseFwmarkArgument(text: string): number {
  if (lowerAscii(text) === 'off') return 0;
  const mark = /^(?:[0-9]+|0x[0-9a-fA-F]+)$/.test(text) ? Number(text) : Number.NaN;
  if (mark <= MAX_U32) return mark;
  throw new WgFailure(`Fwmark is neither 0/off nor 0-0xffffffff: \`${text}'`);
}

/** Parses a number of seconds; 0: off. */
export function parseKeepaliveArgument(text: string): number {
  if (lowerAscii(text) === 'off') return 0;
  const seconds = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MAX_U16) return seconds;
  throw new WgFailure(`Persistent keepalive interval is neither 0/off nor 1-65535: \`${text}'`);
}

/**
 * Adds a list of allowed IPs to a change. A list replaces what the peer has, unless one of its items
 * begins with `+` or `-`.
 *
 * @param text The list, without white space. @param warn Called for each address with host bits.
 */
export function addAllowedIps(peer: WgPeerChange, text: string, warn: (warning: string) => void): void {
  peer.replaceAllowedIps = true;
  if (text === '') return;
  for (const item of text.split(',')) {
    const isIncremental = item.startsWith('+') || item.startsWith('-');
    if (isIncremental) peer.replaceAllowedIps = false;
    const allowedIp = parseAllowedIp(isIncremental ? item.slice(1) : item, warn);
    peer.allowedIps.push(item.startsWith('-') ? `-${allowedIp}` : allowedIp);
  }
}

function parseAllowedIp(text: string, warn: (warning: string) => void): string {
  const slash = text.indexOf('/');
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const address = parseIpAddress(addressText);
  if (address === undefined) throw new WgFailure(`Unable to parse IP address: \`${addressText}'`);

  const bits = 8 * address.length;
  const lengthText = slash < 0 ? String(bits) : text.slice(slash + 1);
  const length = /^[0-9]+$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (!(length <= bits)) throw new WgFailure(`AllowedIP is not in the correct format: \`${text}'`);
  if (hasHostBits(address, length)) warn(`Warning: AllowedIP has nonzero host part: ${addressText}/${lengthText}\n`);
  return `${formatIpAddress(address)}/${length}`;
}

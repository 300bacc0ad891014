import { readFileSync } from 'node:fs';
import { hasHostBits } from '../../control/config/peer-values.js';
import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { toSystemFailure } from './device-access.js';
import { systemMessage } from './system-errors.js';
import type { WgPeerChange } from './wg-change.js';
import { WgFailure } from './wg-context.js';

const KEY_BYTES = 32;
const KEY_CHARACTERS = 44;
const MAX_U32 = 0xffff_ffff;
const MAX_U16 = 0xffff;

/**
 * The values of `wg set` and of configuration files, read exactly as `wg` reads them.
 *
 * Source: wg(8); the rules that it leaves open by running `wg`. All throw `WgFailure`.
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

/** Reads a file that holds a key and white space behind it. An empty file stands for no key: 32 zero bytes. */
export function readKeyFile(path: string): Uint8Array {
  const text = readKeyText(path);
  if (text === '') return new Uint8Array(KEY_BYTES);
  if (text.length < KEY_CHARACTERS) throw new WgFailure('Invalid length key in key file');

  const trailing = /[^ \t-\r]/.exec(text.slice(KEY_CHARACTERS))?.[0];
  if (trailing !== undefined) throw new WgFailure(`Found trailing character in key file: \`${trailing}'`);
  return parseKeyArgument(text.slice(0, KEY_CHARACTERS), true);
}

/** 0: off. */
export function parseFwmarkArgument(text: string): number {
  if (text.toLowerCase() === 'off') return 0;
  const mark = /^(?:[0-9]+|0x[0-9a-fA-F]+)$/.test(text) ? Number(text) : Number.NaN;
  if (mark <= MAX_U32) return mark;
  throw new WgFailure(`Fwmark is neither 0/off nor 0-0xffffffff: \`${text}'`);
}

/** Seconds; 0: off. */
export function parseKeepaliveArgument(text: string): number {
  if (text.toLowerCase() === 'off') return 0;
  const seconds = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MAX_U16) return seconds;
  throw new WgFailure(`Persistent keepalive interval is neither 0/off nor 1-65535: \`${text}'`);
}

/**
 * Adds a list of allowed IPs to a change. A list replaces what the peer has, unless one of its items
 * begins with `+` or `-`.
 *
 * @param text Without white space. @param warn Is called for each address with host bits.
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

/** The key as text lives on until the garbage collector takes it: JavaScript cannot clear it. */
function readKeyText(path: string): string {
  try {
    const bytes = readFileSync(path);
    const text = bytes.toString('latin1');
    bytes.fill(0);
    return text;
  } catch (error) {
    const { errno } = toSystemFailure(error);
    throw new WgFailure(isReadError(error) ? 'Invalid length key in key file' : `fopen: ${systemMessage(errno)}`);
  }
}

/** A directory can be opened, but not read. */
function isReadError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'read';
}

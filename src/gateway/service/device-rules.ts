import { parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { GatewayDevice } from '../gateway-model.js';

const MAX_NAME_LENGTH = 64;
const MAX_NOTE_LENGTH = 1_000;
const MAX_TAGS = 16;
/** Letters and digits of any script, and what separates words: no line breaks, which would end a line of a file. */
const NAME = /^[\p{L}\p{N}\p{M}](?:[\p{L}\p{N}\p{M} ._'@()+&/-]*[\p{L}\p{N}\p{M})])?$/u;
const TAG = /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,31}$/u;

/** @throws {WireGuardError} ERR_VALUE, ERR_DEVICE_EXISTS, ERR_KEY_FORMAT */
export function checkDevice(device: GatewayDevice, others: Iterable<GatewayDevice>): void {
  checkName(device.name);
  if (device.note.length > MAX_NOTE_LENGTH || hasControls(device.note))
    throw new WireGuardError('ERR_VALUE', `note: at most ${MAX_NOTE_LENGTH} characters of text`);
  if (device.tags.length > MAX_TAGS || device.tags.some((tag) => !TAG.test(tag)))
    throw new WireGuardError('ERR_VALUE', `tags: at most ${MAX_TAGS} words of letters, digits, - and _`);
  checkLimits(device);
  for (const key of keysOf(device)) parseKey(key, 'public key');
  for (const other of others) if (other.id !== device.id) refuseTwins(device, other);
}

function checkName(name: string): void {
  if (name.length > MAX_NAME_LENGTH || !NAME.test(name))
    throw new WireGuardError(
      'ERR_VALUE',
      `name: 1 to ${MAX_NAME_LENGTH} letters, digits, spaces and ._'@()+&/- are allowed`,
    );
}

function checkLimits({ limits }: GatewayDevice): void {
  for (const [name, value] of Object.entries(limits)) {
    const isDay = name === 'quotaResetDay';
    if (!Number.isSafeInteger(value) || value < 1 || (isDay && value > 31))
      throw new WireGuardError(
        'ERR_VALUE',
        `${name}: ${isDay ? 'a day from 1 to 31' : 'a whole number above 0'} is expected`,
      );
  }
}

function refuseTwins(device: GatewayDevice, other: GatewayDevice): void {
  const isInBin = other.deletedAtUnixMs !== undefined;
  const where = isInBin ? ' (it is in the bin)' : '';
  if (!isInBin && other.name.toLowerCase() === device.name.toLowerCase())
    throw new WireGuardError('ERR_DEVICE_EXISTS', `there is a device named ${other.name}`);
  if (keysOf(other).some((key) => keysOf(device).includes(key)))
    throw new WireGuardError('ERR_DEVICE_EXISTS', `the public key belongs to ${other.name}${where}`);
}

function keysOf({ publicKey, nextPublicKey }: GatewayDevice): string[] {
  return nextPublicKey === undefined ? [publicKey] : [publicKey, nextPublicKey];
}

function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\u0000-\u0008\u000b-\u001f\u007f]/.test(text);
}

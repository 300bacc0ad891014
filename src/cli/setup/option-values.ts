import { lookupKey } from '../../control/config/config-keys.js';
import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';

const MAX_NAME_CHARACTERS = 64;

/**
 * Reads the value of an option by the rules of a configuration key.
 *
 * @throws {WireGuardError} ERR_VALUE naming the option.
 */
export function checkOption<T>(option: string, keyName: string, text: string): T {
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}#]/u.test(text)) {
    throw new WireGuardError('ERR_VALUE', `${option}: a value is one line of printable characters without "#"`);
  }
  const value = lookupKey(keyName)!.parse(text, (fault) => {
    if (fault.severity === 'error') throw new WireGuardError('ERR_VALUE', `${option} ${quote(text)}: ${fault.message}`);
  });
  return value as T;
}

/** Reads the name of a peer, which is written into a comment. @throws {WireGuardError} ERR_VALUE */
export function checkPeerName(text: string): string {
  const name = text.trim();
  const length = [...name].length;
  if (length === 0) throw new WireGuardError('ERR_VALUE', 'a name has at least one character');
  if (length > MAX_NAME_CHARACTERS) {
    throw new WireGuardError(
      'ERR_VALUE',
      `a name has 1 to ${MAX_NAME_CHARACTERS} characters, and this one has ${length}`,
    );
  }
  // Names are shown in terminals: control characters, direction marks, and ends of lines and paragraphs are unfit.
  const unfit = /[\p{C}\p{Zl}\p{Zp}#[\]=]/u.exec(name)?.[0];
  if (unfit === undefined) return name;
  const shown = /[#[\]=]/.test(unfit)
    ? unfit
    : `U+${unfit.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  throw new WireGuardError('ERR_VALUE', `${quote(name)}: a name cannot contain ${shown}`);
}

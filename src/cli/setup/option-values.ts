import { lookupKey } from '../../control/config/config-keys.js';
import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';

/**
 * Reads the value of an option as a key of a file has it.
 *
 * @throws {WireGuardError} ERR_VALUE naming the option.
 */
export function checkOption<T>(option: string, keyName: string, text: string): T {
  if (/[\r\n#]/.test(text)) throw new WireGuardError('ERR_VALUE', `${option}: a value is one line without "#"`);
  const value = lookupKey(keyName)!.parse(text, (fault) => {
    if (fault.severity === 'error') throw new WireGuardError('ERR_VALUE', `${option} ${quote(text)}: ${fault.message}`);
  });
  return value as T;
}

/** Reads the name of a peer, which will stand in a comment. @throws {WireGuardError} ERR_VALUE */
export function checkPeerName(text: string): string {
  const name = text.trim();
  if (/^[^\p{C}#[\]=]{1,64}$/u.test(name)) return name;
  throw new WireGuardError('ERR_VALUE', `${quote(text)} is no name: 1 to 64 characters without # [ ] =`);
}

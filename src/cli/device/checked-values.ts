import { lookupKey } from '../../control/config/config-keys.js';
import { type ConfigFault, parseKeyValue } from '../../control/config/config-values.js';
import { type ConfigEndpoint, formatConfigEndpoint } from '../../control/config/peer-values.js';
import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';
import { addAllowedIps, readKeyFile } from '../wg/argument-values.js';
import type { ValueReader } from '../wg/value-reader.js';
import { type WgContext, WgFailure } from '../wg/wg-context.js';

/** Base64 text long enough to be a truncated or mistyped key. */
const KEY_LIKE = /^[A-Za-z0-9+/]{20,}={0,2}$/;

/**
 * Reads values by the rules of configuration files. Refuses values that cannot be meant, such as port 99999.
 *
 * Throws {WireGuardError} ERR_VALUE naming the word, ERR_NAME_RESOLUTION.
 */
export function checkedValues(context: WgContext): ValueReader {
  return {
    port: (text) => checked<number>('listen-port', 'ListenPort', text),
    fwmark: (text) => checked<number>('fwmark', 'FwMark', text),
    keepalive: (text) => checked<number>('persistent-keepalive', 'PersistentKeepalive', text),
    publicKey: (text) => checked<Uint8Array>('peer', 'PublicKey', text),
    secretKey: (text) => parseKeyValue(text, (fault) => refuse('key', '(hidden)', fault))!,
    keyFile: (path) => fromFile(path),
    addAllowedIps(peer, text) {
      if (text !== '') checked('allowed-ips', 'AllowedIPs', text);
      addAllowedIps(peer, text, context.io.writeError);
    },
    endpoint: async (text) => await resolve(context, checked<ConfigEndpoint>('endpoint', 'Endpoint', text)),
  };
}

/** Turns the name in an endpoint into an address. @throws {WireGuardError} ERR_NAME_RESOLUTION */
export async function resolve(context: WgContext, endpoint: ConfigEndpoint): Promise<string> {
  try {
    const { resolveEndpoint } = await import('../wg/resolve-endpoint.js');
    return await resolveEndpoint(context, formatConfigEndpoint(endpoint));
  } catch (error) {
    if (!(error instanceof WgFailure)) throw error;
    throw new WireGuardError('ERR_NAME_RESOLUTION', error.message, { cause: error });
  }
}

/** Reads a value by the rules of the configuration key `keyName`. Warnings are left to `refuse`. */
function checked<T>(word: string, keyName: string, text: string): T {
  const value = lookupKey(keyName)!.parse(text, (fault) => refuse(word, quote(text), fault));
  return value as T;
}

function refuse(word: string, shown: string, fault: ConfigFault): void {
  if (fault.severity === 'error') throw new WireGuardError('ERR_VALUE', `${word} ${shown}: ${fault.message}`);
}

function fromFile(path: string): Uint8Array {
  try {
    return readKeyFile(path);
  } catch (error) {
    if (!(error instanceof WgFailure)) throw error;
    throw new WireGuardError('ERR_VALUE', fileMessage(path, error.message), { cause: error });
  }
}

/** Hides a key, or most of a key, that stands in place of a path. */
function fileMessage(path: string, message: string): string {
  if (!KEY_LIKE.test(path)) return `${path}: ${message.replace('fopen: ', '')}`;
  return '(hidden): private-key and preshared-key take the path of a file, not the key itself';
}

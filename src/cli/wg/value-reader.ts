import {
  addAllowedIps,
  parseFwmarkArgument,
  parseKeepaliveArgument,
  parseKeyArgument,
  readKeyFile,
} from './argument-values.js';
import { parsePortArgument } from './port-argument.js';
import type { WgPeerChange } from './wg-change.js';
import type { WgContext } from './wg-context.js';

/** Turns the words of a command or of a file into values. Throws for an invalid value. */
export interface ValueReader {
  port(text: string): number;
  fwmark(text: string): number;
  keepalive(text: string): number;
  publicKey(text: string): Uint8Array;
  /** Parses a secret key, which the caller clears. */
  secretKey(text: string): Uint8Array;
  /** Reads the file that a key is in. The caller clears the key. */
  keyFile(path: string): Uint8Array;
  /** Parses a list of allowed IPs. @param text The list, without white space. */
  addAllowedIps(peer: WgPeerChange, text: string): void;
  /** Turns names into addresses. */
  endpoint(text: string): Promise<string>;
}

/** Reads values as `wg` does. Throws `WgFailure`. */
export function stockValues(context: WgContext): ValueReader {
  return {
    port: parsePortArgument,
    fwmark: parseFwmarkArgument,
    keepalive: parseKeepaliveArgument,
    publicKey: (text) => parseKeyArgument(text, false),
    secretKey: (text) => parseKeyArgument(text, true),
    keyFile: readKeyFile,
    addAllowedIps: (peer, text) => addAllowedIps(peer, text, context.io.writeError),
    endpoint: async (text) => await (await import('./resolve-endpoint.js')).resolveEndpoint(context, text),
  };
}

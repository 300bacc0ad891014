import {
  type LocalIdentity,
  type OpenedInitiation,
  openStatic,
  openTimestamp,
  type RemoteIdentity,
} from '../../../src/core/handshake/handshake.js';
import type { HandshakeRejection } from '../../../src/core/handshake/handshake-rejection.js';
import type { Crypto } from '../../../src/core/ports.js';

export type ConsumedInitiation = OpenedInitiation & { readonly timestamp: Uint8Array };

/** Takes both steps of reading an initiation, as the device does. A refused initiation is wiped. */
export function consumeInitiation(
  crypto: Crypto,
  local: LocalIdentity,
  message: Uint8Array,
  findRemote: (staticPublic: Uint8Array) => RemoteIdentity | undefined,
): ConsumedInitiation | HandshakeRejection {
  const opened = openStatic(crypto, local, message);
  if (typeof opened === 'string') return opened;
  const remote = findRemote(opened.staticPublic);
  const timestamp = remote === undefined ? 'unknown-peer' : openTimestamp(opened, remote, message);
  if (typeof timestamp !== 'string') return Object.assign(opened, { timestamp });
  opened.wipe();
  return timestamp;
}

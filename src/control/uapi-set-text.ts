import type { DeviceChange, PeerChange } from '../core/configuration.js';
import { formatEndpoint } from './endpoint-text.js';
import { formatIpPrefix } from './ip-text.js';
import { formatChange, type PeerChangeText } from './uapi-change-text.js';
import type { UapiRefusal } from './uapi-errno.js';
import { SetParser } from './uapi-set-parser.js';
import type { ZoneNames } from './zone-names.js';

const NEWLINE = 0x0a;

/**
 * Reads the whole body of a `set`, without its closing empty line.
 *
 * @returns The change, or the reason for its refusal. The caller clears the keys in the change.
 */
export function parseSet(text: Uint8Array, zones: ZoneNames): DeviceChange | UapiRefusal {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const parser = new SetParser(zones);
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const refusal = parser.readLine(bytes, start, end);
    if (refusal !== undefined) {
      parser.clear();
      return refusal;
    }
    start = end + 1;
  }
  return parser.finish();
}

/** Writes a change as the body of a `set`, which the caller clears: it may hold secret keys. */
export function formatSet(change: DeviceChange, zones: ZoneNames): Buffer {
  return formatChange({ ...change, peers: change.peers.map((peer) => toText(peer, zones)) });
}

function toText({ endpoint, allowedIps, ...peer }: PeerChange, zones: ZoneNames): PeerChangeText {
  return {
    ...peer,
    ...(endpoint === undefined ? {} : { endpoint: formatEndpoint(endpoint, zones) }),
    allowedIps: allowedIps.map((prefix) => `${prefix.isRemoval ? '-' : ''}${formatIpPrefix(prefix)}`),
  };
}

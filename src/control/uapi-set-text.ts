import type { DeviceChange, PeerChange } from '../core/configuration.js';
import { formatEndpoint } from './endpoint-text.js';
import { formatIpPrefix } from './ip-text.js';
import type { UapiRefusal } from './uapi-errno.js';
import { SetParser } from './uapi-set-parser.js';
import { UapiWriter } from './uapi-writer.js';
import type { ZoneNames } from './zone-names.js';

const NEWLINE = 0x0a;

/**
 * Reads the whole body of a `set`, without its closing empty line.
 *
 * @returns The change, or why it is refused. The caller clears the keys in the change.
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
  const writer = new UapiWriter();
  if (change.privateKey !== undefined) writer.keyLine('private_key', change.privateKey);
  if (change.listenPort !== undefined) writer.line('listen_port', change.listenPort);
  if (change.fwmark !== undefined) writer.line('fwmark', change.fwmark);
  if (change.replacePeers) writer.line('replace_peers', 'true');
  for (const peer of change.peers) writePeer(writer, peer, zones);
  return writer.take();
}

function writePeer(writer: UapiWriter, peer: PeerChange, zones: ZoneNames): void {
  writer.keyLine('public_key', peer.publicKey);
  if (peer.isUpdateOnly) writer.line('update_only', 'true');
  if (peer.isRemoval) {
    writer.line('remove', 'true');
    return;
  }
  if (peer.presharedKey !== undefined) writer.keyLine('preshared_key', peer.presharedKey);
  if (peer.endpoint !== undefined) writer.line('endpoint', formatEndpoint(peer.endpoint, zones));
  if (peer.persistentKeepaliveSeconds !== undefined)
    writer.line('persistent_keepalive_interval', peer.persistentKeepaliveSeconds);
  if (peer.replaceAllowedIps) writer.line('replace_allowed_ips', 'true');
  for (const { isRemoval, ...prefix } of peer.allowedIps)
    writer.line('allowed_ip', `${isRemoval ? '-' : ''}${formatIpPrefix(prefix)}`);
}

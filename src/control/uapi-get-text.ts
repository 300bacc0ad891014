import type { DeviceState, PeerState } from './device-control.js';
import { formatEndpoint } from './endpoint-text.js';
import { formatIpPrefix } from './ip-text.js';
import { UapiWriter } from './uapi-writer.js';
import type { ZoneNames } from './zone-names.js';

const NANOSECONDS_PER_MS = 1_000_000;

/**
 * Writes a device as the answer to `get`, without the closing `errno`, in chunks of some 64 KiB.
 *
 * Lines stand in the order of wireguard-go; peers and allowed IPs in the order in which they were added.
 * The device is read as the chunks are drawn, and must not be reconfigured in between.
 * The caller clears every chunk: they hold the secret keys.
 */
export function* formatGet(state: DeviceState, zones: ZoneNames): Generator<Buffer, void, undefined> {
  const writer = new UapiWriter();
  if (state.privateKey !== undefined) writer.keyLine('private_key', state.privateKey);
  if (state.listenPort !== 0) writer.line('listen_port', state.listenPort);
  if (state.fwmark !== 0) writer.line('fwmark', state.fwmark);

  for (const peer of state.peers) {
    writePeer(writer, peer, zones);
    for (const prefix of peer.allowedIps) {
      if (writer.isFull) yield writer.take();
      writer.line('allowed_ip', formatIpPrefix(prefix));
    }
    if (writer.isFull) yield writer.take();
  }
  yield writer.take();
}

function writePeer(writer: UapiWriter, peer: PeerState, zones: ZoneNames): void {
  writer.keyLine('public_key', peer.publicKey);
  writer.keyLine('preshared_key', peer.presharedKey);
  writer.line('protocol_version', 1);
  if (peer.endpoint !== undefined) writer.line('endpoint', formatEndpoint(peer.endpoint, zones));
  writer.line('last_handshake_time_sec', Math.floor(peer.lastHandshakeUnixMs / 1_000));
  writer.line('last_handshake_time_nsec', Math.floor(peer.lastHandshakeUnixMs % 1_000) * NANOSECONDS_PER_MS);
  writer.line('tx_bytes', peer.txBytes);
  writer.line('rx_bytes', peer.rxBytes);
  writer.line('persistent_keepalive_interval', peer.persistentKeepaliveSeconds);
}

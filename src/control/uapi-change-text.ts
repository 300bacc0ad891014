import { UapiWriter } from './uapi-writer.js';

/** The content of a `set`, with addresses as text. Absent fields are left unchanged. */
export interface ChangeText {
  readonly privateKey?: Uint8Array;
  readonly listenPort?: number;
  readonly fwmark?: number;
  readonly replacePeers: boolean;
  readonly peers: readonly PeerChangeText[];
}

export interface PeerChangeText {
  readonly publicKey: Uint8Array;
  readonly isRemoval: boolean;
  readonly isUpdateOnly?: boolean;
  /** 32 zero bytes: none. */
  readonly presharedKey?: Uint8Array;
  /** Address and port, no name. */
  readonly endpoint?: string;
  readonly persistentKeepaliveSeconds?: number;
  readonly replaceAllowedIps: boolean;
  /** `ADDRESS/LENGTH`, with a leading `-` to remove the prefix. */
  readonly allowedIps: readonly string[];
}

/** Writes the body of a `set` in the order in which `wg` writes it. The caller clears it: it may hold secret keys. */
export function formatChange(change: ChangeText): Buffer {
  const writer = new UapiWriter();
  if (change.privateKey !== undefined) writer.keyLine('private_key', change.privateKey);
  if (change.listenPort !== undefined) writer.line('listen_port', change.listenPort);
  if (change.fwmark !== undefined) writer.line('fwmark', change.fwmark);
  if (change.replacePeers) writer.line('replace_peers', 'true');
  for (const peer of change.peers) writePeer(writer, peer);
  return writer.take();
}

function writePeer(writer: UapiWriter, peer: PeerChangeText): void {
  writer.keyLine('public_key', peer.publicKey);
  if (peer.isUpdateOnly === true) writer.line('update_only', 'true');
  if (peer.isRemoval) {
    writer.line('remove', 'true');
    return;
  }
  if (peer.presharedKey !== undefined) writer.keyLine('preshared_key', peer.presharedKey);
  if (peer.endpoint !== undefined) writer.line('endpoint', peer.endpoint);
  if (peer.persistentKeepaliveSeconds !== undefined)
    writer.line('persistent_keepalive_interval', peer.persistentKeepaliveSeconds);
  if (peer.replaceAllowedIps) writer.line('replace_allowed_ips', 'true');
  for (const allowedIp of peer.allowedIps) writer.line('allowed_ip', allowedIp);
}

import { UapiWriter } from '../../control/uapi-writer.js';

/** What a command changes, in the words of the protocol. Absent means: leave as it is. */
export interface WgChange {
  privateKey?: Uint8Array;
  listenPort?: number;
  fwmark?: number;
  replacePeers: boolean;
  peers: WgPeerChange[];
}

export interface WgPeerChange {
  publicKey: Uint8Array;
  isRemoval: boolean;
  /** 32 zero bytes: none. */
  presharedKey?: Uint8Array;
  /** Address and port, no name. */
  endpoint?: string;
  persistentKeepaliveSeconds?: number;
  replaceAllowedIps: boolean;
  /** `ADDRESS/LENGTH`, with `-` before it to take it away. */
  allowedIps: string[];
}

/** Writes the body of a `set` request in the order in which `wg` writes it. The caller clears it. */
export function formatWgChange(change: WgChange): Buffer {
  const writer = new UapiWriter();
  if (change.privateKey !== undefined) writer.keyLine('private_key', change.privateKey);
  if (change.listenPort !== undefined) writer.line('listen_port', change.listenPort);
  if (change.fwmark !== undefined) writer.line('fwmark', change.fwmark);
  if (change.replacePeers) writer.line('replace_peers', 'true');
  for (const peer of change.peers) writePeer(writer, peer);
  return writer.take();
}

/** Wipes the secret keys. */
export function clearChange(change: WgChange): void {
  change.privateKey?.fill(0);
  for (const { presharedKey } of change.peers) presharedKey?.fill(0);
}

function writePeer(writer: UapiWriter, peer: WgPeerChange): void {
  writer.keyLine('public_key', peer.publicKey);
  if (peer.isRemoval) {
    writer.line('remove', 'true');
    return;
  }
  if (peer.presharedKey !== undefined) writer.keyLine('preshared_key', peer.presharedKey);
  if (peer.endpoint !== undefined) writer.line('endpoint', peer.endpoint);
  if (peer.persistentKeepaliveSeconds !== undefined) {
    writer.line('persistent_keepalive_interval', peer.persistentKeepaliveSeconds);
  }
  if (peer.replaceAllowedIps) writer.line('replace_allowed_ips', 'true');
  for (const allowedIp of peer.allowedIps) writer.line('allowed_ip', allowedIp);
}

import { formatKey } from '../../control/key-text.js';
import { accessDevice } from './show.js';
import type { WgContext } from './wg-context.js';
import { clearDevice, type WgDevice, type WgPeer } from './wg-device.js';

/** Runs `wg showconf`. @throws {WgFailure} */
export async function showconf(context: WgContext, name: string): Promise<void> {
  const device = await accessDevice(context, name, 'Unable to access interface');
  context.io.write(formatShowconf(device));
  clearDevice(device);
}

/** Writes a device as a configuration file for `setconf`. */
export function formatShowconf(device: WgDevice): string {
  const head = ['[Interface]'];
  if (device.listenPort !== 0) head.push(`ListenPort = ${device.listenPort}`);
  if (device.fwmark !== 0) head.push(`FwMark = 0x${device.fwmark.toString(16)}`);
  if (device.privateKey !== undefined) head.push(`PrivateKey = ${formatKey(device.privateKey)}`);
  return `${head.join('\n')}\n\n${device.peers.map(formatPeer).join('\n')}`;
}

function formatPeer(peer: WgPeer): string {
  const rows = ['[Peer]', `PublicKey = ${formatKey(peer.publicKey)}`];
  if (peer.presharedKey !== undefined) rows.push(`PresharedKey = ${formatKey(peer.presharedKey)}`);
  if (peer.allowedIps.length > 0) rows.push(`AllowedIPs = ${peer.allowedIps.join(', ')}`);
  if (peer.endpoint !== undefined) rows.push(`Endpoint = ${peer.endpoint}`);
  if (peer.persistentKeepaliveSeconds !== 0) rows.push(`PersistentKeepalive = ${peer.persistentKeepaliveSeconds}`);
  return `${rows.join('\n')}\n`;
}

import { formatKey } from '../../control/key-text.js';
import { publicKeyOf } from './key-pair.js';
import type { Palette } from './palette.js';
import { formatAgo, formatBytes, formatSpan } from './show-units.js';
import type { WgDevice, WgPeer } from './wg-device.js';

export interface PrettyOptions {
  readonly palette: Palette;
  /** Show private and preshared keys. */
  readonly showsKeys: boolean;
  /** Whole seconds since 1970. */
  readonly nowSeconds: bigint;
}

/** Writes a device for users. Peers with the newest handshakes come first, peers without a handshake last. */
export function formatPretty(device: WgDevice, options: PrettyOptions): string {
  const { palette } = options;
  const rows = [`${palette.reset}${palette.greenLabel('interface')}: ${palette.green(device.name)}`];
  const row = (label: string, value: string) => void rows.push(`  ${palette.bold(label)}: ${value}`);

  if (device.privateKey !== undefined) {
    row('public key', formatKey(publicKeyOf(device.privateKey)));
    row('private key', showKey(device.privateKey, options));
  }
  if (device.listenPort !== 0) row('listening port', String(device.listenPort));
  if (device.fwmark !== 0) row('fwmark', `0x${device.fwmark.toString(16)}`);
  for (const peer of device.peers.toSorted(byHandshake)) {
    rows.push('', `${palette.yellowLabel('peer')}: ${palette.yellow(formatKey(peer.publicKey))}`);
    addPeerRows(peer, options, row);
  }
  return `${rows.join('\n')}\n`;
}

function addPeerRows(peer: WgPeer, options: PrettyOptions, row: (label: string, value: string) => void): void {
  const { palette, nowSeconds } = options;
  const { presharedKey, endpoint, allowedIps, rxBytes, txBytes, persistentKeepaliveSeconds } = peer;
  if (presharedKey !== undefined) row('preshared key', showKey(presharedKey, options));
  if (endpoint !== undefined) row('endpoint', endpoint);
  row('allowed ips', formatAllowedIps(allowedIps, palette));
  if (peer.lastHandshakeSeconds !== 0n) {
    row('latest handshake', formatAgo(peer.lastHandshakeSeconds, nowSeconds, palette));
  }
  if (rxBytes !== 0n || txBytes !== 0n) {
    row('transfer', `${formatBytes(rxBytes, palette)} received, ${formatBytes(txBytes, palette)} sent`);
  }
  if (persistentKeepaliveSeconds !== 0) {
    row('persistent keepalive', `every ${formatSpan(BigInt(persistentKeepaliveSeconds), palette)}`);
  }
}

function formatAllowedIps(allowedIps: readonly string[], { cyan }: Palette): string {
  if (allowedIps.length === 0) return '(none)';
  return allowedIps.map((allowedIp) => allowedIp.replace('/', cyan('/'))).join(', ');
}

function showKey(key: Uint8Array, { showsKeys }: PrettyOptions): string {
  return showsKeys ? formatKey(key) : '(hidden)';
}

function byHandshake(a: WgPeer, b: WgPeer): number {
  const difference =
    b.lastHandshakeSeconds - a.lastHandshakeSeconds || b.lastHandshakeNanoseconds - a.lastHandshakeNanoseconds;
  return difference < 0n ? -1 : Number(difference > 0n);
}

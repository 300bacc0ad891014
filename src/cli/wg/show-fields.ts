import { formatKey } from '../../control/key-text.js';
import { publicKeyOf } from './key-pair.js';
import type { WgDevice, WgPeer } from './wg-device.js';

type DeviceField = (device: WgDevice) => string;
type PeerField = (peer: WgPeer) => string;

const NONE = '(none)';

const DEVICE_FIELDS: Readonly<Record<string, DeviceField>> = {
  'public-key': publicKey,
  'private-key': ({ privateKey }) => maybeKey(privateKey),
  'listen-port': ({ listenPort }) => String(listenPort),
  fwmark,
};

const PEER_FIELDS: Readonly<Record<string, PeerField>> = {
  peers: () => '',
  'preshared-keys': ({ presharedKey }) => maybeKey(presharedKey),
  endpoints: ({ endpoint }) => endpoint ?? NONE,
  'allowed-ips': ({ allowedIps }) => allowedIps.join(' ') || NONE,
  'latest-handshakes': ({ lastHandshakeSeconds }) => String(lastHandshakeSeconds),
  transfer: ({ rxBytes, txBytes }) => `${rxBytes}\t${txBytes}`,
  'persistent-keepalive': keepalive,
};

/**
 * Writes one field of a device, or of each of its peers, for scripts: fields separated by tabs.
 *
 * @param field The FIELD of `wg show IF FIELD`. @param prefix The beginning of every line.
 * @returns `undefined` if there is no such field.
 */
export function formatField(device: WgDevice, field: string, prefix: string): string | undefined {
  if (field === 'dump') return formatDump(device, prefix);
  if (Object.hasOwn(DEVICE_FIELDS, field)) return `${prefix}${DEVICE_FIELDS[field]!(device)}\n`;
  if (!Object.hasOwn(PEER_FIELDS, field)) return undefined;

  const format = PEER_FIELDS[field]!;
  const lines = device.peers.map((peer) => {
    const value = format(peer);
    return `${prefix}${formatKey(peer.publicKey)}${value === '' ? '' : `\t${value}`}\n`;
  });
  return lines.join('');
}

function formatDump(device: WgDevice, prefix: string): string {
  const head = [maybeKey(device.privateKey), publicKey(device), device.listenPort, fwmark(device)];
  const lines = device.peers.map((peer) => dumpPeer(peer).join('\t'));
  return [head.join('\t'), ...lines].map((line) => `${prefix}${line}\n`).join('');
}

function dumpPeer(peer: WgPeer): (string | bigint)[] {
  return [
    formatKey(peer.publicKey),
    maybeKey(peer.presharedKey),
    peer.endpoint ?? NONE,
    peer.allowedIps.join(',') || NONE,
    peer.lastHandshakeSeconds,
    peer.rxBytes,
    peer.txBytes,
    keepalive(peer),
  ];
}

function publicKey({ privateKey }: WgDevice): string {
  return privateKey === undefined ? NONE : formatKey(publicKeyOf(privateKey));
}

function maybeKey(key: Uint8Array | undefined): string {
  return key === undefined ? NONE : formatKey(key);
}

function fwmark({ fwmark }: WgDevice): string {
  return fwmark === 0 ? 'off' : `0x${fwmark.toString(16)}`;
}

function keepalive({ persistentKeepaliveSeconds }: WgPeer): string {
  return persistentKeepaliveSeconds === 0 ? 'off' : String(persistentKeepaliveSeconds);
}

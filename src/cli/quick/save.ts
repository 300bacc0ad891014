import type { ConfigDocument, InterfaceSection, PeerSection } from '../../control/config/index.js';
import type { DeviceState, PeerState } from '../../control/device-control.js';
import { isHostName } from '../../control/endpoint-names.js';
import { formatEndpoint } from '../../control/endpoint-text.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import { queryAddresses, queryMtu } from '../../host/net/ip-query.js';
import { formatPrefix } from '../../host/net/prefix.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { clamp, isZeroKey } from '../wg/key-pair.js';
import { type ConfigFileWriter, holdConfigFile } from './change-config-file.js';
import { withInterfaceLock } from './locks.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickFile } from './quick-file.js';
import type { QuickHost } from './quick-host.js';
import { clearDevice, requireDevice, requireLink } from './require-device.js';

/** Writes the state of the running interface into its file, while no other command changes either. */
export async function save(host: QuickHost, file: QuickFile): Promise<void> {
  await withInterfaceLock(host, file.interfaceName, { waits: true }, async () => await saveNow(host, file));
}

/** Saves for a command that already works on the interface. */
export async function saveNow(host: QuickHost, file: QuickFile): Promise<void> {
  await holdConfigFile(file.file, async (writer) => await saveConfig(host, await file.read(), writer));
}

/**
 * Writes the state of the running interface into its file.
 *
 * Only lines change whose value has changed: comments and order stay, and so do DNS, Table and the hooks, which the
 * interface does not hold. An endpoint that is written as a name stays a name.
 *
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_OTHER_NAMESPACE; the old file is unchanged then.
 */
async function saveConfig(host: QuickHost, config: QuickConfig, writer: ConfigFileWriter): Promise<void> {
  const { document, interfaceName, file } = config;
  const before = document.text;
  const device = await requireDevice(host, interfaceName, { withSecrets: true });
  try {
    await requireLink(host, interfaceName);
    const section = document.ensureInterface();
    await saveAddresses(host, config, section);
    await saveMtu(host, config, section);
    saveDevice(config, device, section, host.records.read(interfaceName));
    savePeers(document, device);
  } finally {
    clearDevice(device);
  }
  if (document.text === before) return;
  host.commands.echo(['save', file]);
  await writer.write(document.text);
}

async function saveAddresses(host: QuickHost, config: QuickConfig, section: InterfaceSection): Promise<void> {
  const written = config.addresses.map(formatPrefix);
  const live = (await queryAddresses(host.commands, config.interfaceName))
    .filter((address) => !address.isLinkLocal || written.includes(formatPrefix(address)))
    .map(formatPrefix);
  if (isSameSet(written, live)) return;
  section.delete('Address');
  for (const address of live) section.append('Address', address);
}

async function saveMtu(host: QuickHost, config: QuickConfig, section: InterfaceSection): Promise<void> {
  const mtu = await queryMtu(host.commands, config.interfaceName);
  if (config.mtu !== undefined && mtu !== undefined && mtu !== config.mtu) section.set('MTU', String(mtu));
}

function saveDevice(
  config: QuickConfig,
  { privateKey, listenPort, fwmark }: DeviceState,
  section: InterfaceSection,
  record: TunnelRecord | undefined,
): void {
  if (listenPort !== 0 && listenPort !== section.listenPort) section.set('ListenPort', String(listenPort));
  if (privateKey !== undefined) savePrivateKey(config, privateKey, section);

  const isOurChoice = record?.hasChosenMark === true && section.fwMark === undefined;
  if (fwmark === 0) section.delete('FwMark');
  else if (fwmark !== section.fwMark && !isOurChoice) section.set('FwMark', `0x${fwmark.toString(16)}`);
}

/** Saves the private key, unless a hook fetches it from a safer place. */
function savePrivateKey(config: QuickConfig, privateKey: Uint8Array, section: InterfaceSection): void {
  const written = section.privateKey;
  if (written !== undefined && !isZeroKey(written)) clamp(written); // as devices store keys
  const isFetched = written === undefined && config.hooks.some(({ command }) => command.includes('private-key'));
  if (!isFetched && (written === undefined || !isSameKey(written, privateKey))) {
    section.set('PrivateKey', formatKey(privateKey));
  }
  written?.fill(0);
}

function savePeers(document: ConfigDocument, device: DeviceState): void {
  const live = new Map([...device.peers].map((peer) => [formatKey(peer.publicKey), peer]));
  // The last of several sections for one key counts.
  const written = new Map(document.peers.map((section) => [section.publicKeyText, section]));
  for (const section of [...document.peers]) {
    const { publicKeyText } = section;
    if (written.get(publicKeyText) !== section || !live.has(publicKeyText)) document.removePeer(section);
  }
  for (const [publicKey, peer] of live) savePeer(written.get(publicKey) ?? document.addPeer(publicKey), peer);
}

function savePeer(section: PeerSection, peer: PeerState): void {
  savePresharedKey(section, peer.presharedKey);
  const allowedIps = [...peer.allowedIps].map(formatIpPrefix);
  if (!isSameSet(section.allowedIps.map(formatIpPrefix), allowedIps)) {
    if (allowedIps.length === 0) section.delete('AllowedIPs');
    else section.set('AllowedIPs', allowedIps.join(', '));
  }
  const { endpoint } = section;
  if (peer.endpoint !== undefined && (endpoint === undefined || !isHostName(endpoint))) {
    const text = formatEndpoint(peer.endpoint, new SystemZoneNames());
    if (section.section.lastEntry('Endpoint')?.value !== text) section.set('Endpoint', text);
  }
  const keepalive = peer.persistentKeepaliveSeconds;
  if (keepalive === (section.persistentKeepalive ?? 0)) return;
  if (keepalive === 0) section.delete('PersistentKeepalive');
  else section.set('PersistentKeepalive', String(keepalive));
}

function savePresharedKey(section: PeerSection, presharedKey: Uint8Array): void {
  const written = section.presharedKey;
  const isNone = presharedKey.every((byte) => byte === 0);
  if (isNone) section.delete('PresharedKey');
  else if (written === undefined || !isSameKey(written, presharedKey)) {
    section.set('PresharedKey', formatKey(presharedKey));
  }
  written?.fill(0);
}

/** Compares two keys of the user's own, for which constant time is unnecessary. */
function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const all = new Set(a);
  return all.size === new Set(b).size && b.every((item) => all.has(item));
}

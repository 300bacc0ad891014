import { readPeerChange } from '../../control/config/device-change.js';
import { type ConfigDocument, formatConfigEndpoint, type PeerSection } from '../../control/config/index.js';
import type { DeviceState, PeerState } from '../../control/device-control.js';
import { type NameOptions, resolveEndpoint } from '../../control/endpoint-names.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import type { AllowedIpChange, DeviceChange, IpPrefix, PeerChange } from '../../core/configuration.js';
import { type Endpoint, remoteEquals } from '../../wire/endpoint.js';
import { clamp, isZeroKey } from '../wg/key-pair.js';
import { maskHostBits } from './mask-host-bits.js';
import type { QuickConfig } from './quick-config.js';

const NO_KEY = new Uint8Array(32);

/** What has to change in a device, how to take it back, and what to tell the user. The caller wipes the keys. */
export interface DeviceDiff {
  readonly change: DeviceChange;
  readonly inverse: DeviceChange;
  /** One line per change. Without secrets. */
  readonly lines: readonly string[];
  /** Of all peers, after the change. */
  readonly endpoints: readonly Endpoint[];
}

/** What is known beside the file and the device. */
export interface DiffContext {
  /** The endpoints as the file had them when it was last applied; `undefined`: not known. */
  readonly endpointsBefore: Readonly<Record<string, string>> | undefined;
  /** The firewall mark that the device shall have; `undefined`: leave it. */
  readonly fwmark: number | undefined;
  readonly names: NameOptions;
}

/**
 * Finds what makes a device equal to its file. What the file does not say about the device itself (key, port) is
 * left as it is: hooks may have set it.
 *
 * @throws {WireGuardError} ERR_NAME_RESOLUTION, ERR_INTERRUPTED
 */
export async function diffDevice(config: QuickConfig, device: DeviceState, context: DiffContext): Promise<DeviceDiff> {
  const diff = new DiffBuilder();
  diffInterface(config.document, device, context, diff);

  const wanted = new Map(config.document.peers.map((section) => [section.publicKeyText, section]));
  const live = new Map([...device.peers].map((peer) => [formatKey(peer.publicKey), peer]));
  for (const [key, peer] of live) if (!wanted.has(key)) diff.removePeer(key, peer);
  const keepsPresharedKeys = config.hooks.some(({ command }) => command.includes('preshared-key'));
  for (const [key, section] of wanted) {
    const peer = live.get(key);
    const endpoint = await changedEndpoint(section, peer, context);
    const endpointAfter = endpoint ?? peer?.endpoint;
    if (endpointAfter !== undefined) diff.endpoints.push(endpointAfter);
    if (peer === undefined) diff.addPeer(key, { ...readPeerChange(section), ...(endpoint && { endpoint }) });
    else diff.changePeer(key, peer, section, endpoint, keepsPresharedKeys);
  }
  return diff;
}

function diffInterface(
  document: ConfigDocument,
  device: DeviceState,
  { fwmark }: DiffContext,
  diff: DiffBuilder,
): void {
  const section = document.interfaceSection;
  const privateKey = section?.privateKey;
  if (privateKey !== undefined && !isZeroKey(privateKey)) clamp(privateKey); // as devices keep it
  if (privateKey !== undefined && !isSameBytes(privateKey, device.privateKey ?? NO_KEY)) {
    diff.set('privateKey', privateKey, device.privateKey?.slice() ?? NO_KEY.slice());
    diff.note('~ private key');
  } else {
    privateKey?.fill(0);
  }
  const listenPort = section?.listenPort;
  if (listenPort !== undefined && listenPort !== 0 && listenPort !== device.listenPort) {
    diff.set('listenPort', listenPort, device.listenPort);
    diff.note(`~ listen port ${device.listenPort} → ${listenPort}`);
  }
  if (fwmark !== undefined && fwmark !== device.fwmark) {
    diff.set('fwmark', fwmark, device.fwmark);
    diff.note(`~ fwmark ${device.fwmark || 'off'} → ${fwmark || 'off'}`);
  }
}

/** @returns The endpoint to set; `undefined` if the one that the device has may stay. */
async function changedEndpoint(
  section: PeerSection,
  peer: PeerState | undefined,
  { endpointsBefore, names }: DiffContext,
): Promise<Endpoint | undefined> {
  const { endpoint } = section;
  if (endpoint === undefined) return undefined;
  const isKnown = peer?.endpoint !== undefined && endpointsBefore !== undefined;
  if (isKnown && endpointsBefore[section.publicKeyText] === formatConfigEndpoint(endpoint)) return undefined;

  const resolved = await resolveEndpoint(endpoint, names);
  const isSame = peer?.endpoint !== undefined && remoteEquals(resolved.words, 0, peer.endpoint.words, 0);
  return isSame ? undefined : resolved;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

class DiffBuilder implements DeviceDiff {
  readonly #change: PeerChange[] = [];
  readonly #inverse: PeerChange[] = [];
  readonly change: Writable<DeviceChange> = { replacePeers: false, peers: this.#change };
  readonly inverse: Writable<DeviceChange> = { replacePeers: false, peers: this.#inverse };
  readonly lines: string[] = [];
  readonly endpoints: Endpoint[] = [];

  set<Key extends 'privateKey' | 'listenPort' | 'fwmark'>(
    key: Key,
    value: NonNullable<DeviceChange[Key]>,
    before: NonNullable<DeviceChange[Key]>,
  ): void {
    this.change[key] = value;
    this.inverse[key] = before;
  }

  note(line: string): void {
    this.lines.push(line);
  }

  removePeer(key: string, peer: PeerState): void {
    this.#change.push({ ...emptyChange(peer.publicKey), isRemoval: true });
    this.#inverse.push(restoreChange(peer));
    this.note(`- peer ${key}`);
  }

  addPeer(key: string, change: PeerChange): void {
    this.#change.push(change);
    this.#inverse.push({ ...emptyChange(change.publicKey), isRemoval: true });
    this.note(`+ peer ${key} ${textOf(change.allowedIps)}`);
  }

  changePeer(
    key: string,
    peer: PeerState,
    section: PeerSection,
    endpoint: Endpoint | undefined,
    keepsPresharedKey: boolean,
  ): void {
    const wanted = readPeerChange(section);
    const change: Writable<PeerChange> = { ...emptyChange(peer.publicKey), isUpdateOnly: true };
    const notes: string[] = [];
    if (endpoint !== undefined) {
      change.endpoint = endpoint;
      notes.push('endpoint');
    }
    if (
      !isSameBytes(wanted.presharedKey ?? NO_KEY, peer.presharedKey) &&
      !(keepsPresharedKey && !wanted.presharedKey)
    ) {
      change.presharedKey = wanted.presharedKey?.slice() ?? NO_KEY.slice();
      notes.push('preshared key');
    }
    const keepalive = wanted.persistentKeepaliveSeconds ?? 0;
    if (keepalive !== peer.persistentKeepaliveSeconds) {
      change.persistentKeepaliveSeconds = keepalive;
      notes.push(`persistent keepalive ${keepalive || 'off'}`);
    }
    const allowedIps = wanted.allowedIps.filter(({ isRemoval }) => !isRemoval);
    if (!isSameSet(allowedIps.map(maskHostBits), [...peer.allowedIps])) {
      change.replaceAllowedIps = true;
      change.allowedIps = allowedIps;
      notes.push(`allowed IPs ${textOf(allowedIps)}`);
    }
    wanted.presharedKey?.fill(0);
    if (notes.length === 0) return;
    this.#change.push(change);
    this.#inverse.push({ ...restoreChange(peer), isUpdateOnly: true });
    this.note(`~ peer ${key} ${notes.join(', ')}`);
  }
}

/** A change that says nothing yet. */
function emptyChange(publicKey: Uint8Array): PeerChange {
  return { publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] };
}

/** Makes a peer what it is. */
function restoreChange(peer: PeerState): PeerChange {
  return {
    ...emptyChange(peer.publicKey),
    presharedKey: peer.presharedKey.slice(),
    ...(peer.endpoint === undefined ? {} : { endpoint: peer.endpoint }),
    persistentKeepaliveSeconds: peer.persistentKeepaliveSeconds,
    replaceAllowedIps: true,
    allowedIps: [...peer.allowedIps].map((prefix): AllowedIpChange => ({ ...prefix, isRemoval: false })),
  };
}

function textOf(allowedIps: readonly IpPrefix[]): string {
  return allowedIps.length === 0 ? '(none)' : allowedIps.map(formatIpPrefix).join(', ');
}

function isSameSet(a: readonly IpPrefix[], b: readonly IpPrefix[]): boolean {
  const all = new Set(a.map(formatIpPrefix));
  return all.size === new Set(b.map(formatIpPrefix)).size && b.every((prefix) => all.has(formatIpPrefix(prefix)));
}

/** Both are the user's own: nobody measures how long this takes. */
function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

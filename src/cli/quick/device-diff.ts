import { disabledPeers } from '../../control/config/disabled-peer.js';
import { type ConfigDocument, formatConfigEndpoint } from '../../control/config/index.js';
import { printable } from '../../control/config/secret-text.js';
import type { DeviceState, PeerState } from '../../control/device-control.js';
import { type NameOptions, resolveEndpoint } from '../../control/endpoint-names.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import type { AllowedIpChange, DeviceChange, IpPrefix, PeerChange } from '../../core/configuration.js';
import { type Endpoint, remoteEquals } from '../../wire/endpoint.js';
import { clamp, isZeroKey } from '../wg/key-pair.js';
import type { QuickConfig } from './quick-config.js';
import { type WantedPeer, wantedPeers } from './wanted-peers.js';

const NO_KEY = new Uint8Array(32);

/** The changes that a device needs, their reversal, and lines for the user. The caller wipes the keys. */
export interface DeviceDiff {
  readonly change: DeviceChange;
  readonly inverse: DeviceChange;
  /** One line per change, without secrets. */
  readonly lines: readonly string[];
  /** The endpoints of all peers, after the change. */
  readonly endpoints: readonly Endpoint[];
  /** The allowed IPs of all peers, after the change. */
  readonly allowedIps: readonly IpPrefix[];
  /** The firewall mark is known, as a new mark or as the current mark of the device. */
  readonly isMarkKnown: boolean;
}

/** Facts besides the file and the device. */
export interface DiffContext {
  /** The endpoints as the file had them when it was last applied; `undefined`: not known. */
  readonly endpointsBefore: Readonly<Record<string, string>> | undefined;
  /** The firewall mark that the device must have; `undefined`: unchanged. */
  readonly fwmark: number | undefined;
  readonly names: NameOptions;
}

/**
 * Finds the changes that make a device equal to its file. Settings of the device (key, port) that the file omits
 * stay unchanged: hooks may have set them.
 *
 * @throws {WireGuardError} ERR_NAME_RESOLUTION, ERR_INTERRUPTED
 */
export async function diffDevice(config: QuickConfig, device: DeviceState, context: DiffContext): Promise<DeviceDiff> {
  const diff = new DiffBuilder(namesOf(config.document));
  diffInterface(config.document, device, context, diff);

  const wanted = wantedPeers(config.document, diff.change.privateKey ?? device.privateKey);
  const live = new Map([...device.peers].map((peer) => [formatKey(peer.publicKey), peer]));
  for (const [key, peer] of live) if (!wanted.has(key)) diff.removePeer(key, peer);
  const keepsPresharedKeys = config.hooks.some(({ command }) => command.includes('preshared-key'));
  for (const [key, wish] of wanted) {
    const peer = live.get(key);
    const endpoint = await changedEndpoint(key, wish, peer, context);
    const endpointAfter = endpoint ?? peer?.endpoint;
    if (endpointAfter !== undefined) diff.endpoints.push(endpointAfter);
    diff.allowedIps.push(...wish.allowedIps.values());
    if (peer === undefined) diff.addPeer(key, wish, endpoint);
    else diff.changePeer(key, peer, wish, endpoint, keepsPresharedKeys);
  }
  return diff;
}

/** Returns the names of peers by public key. Disabled peers are included, since they are about to be removed. */
function namesOf(document: ConfigDocument): ReadonlyMap<string, string> {
  const disabled = disabledPeers(document).map(({ peer }) => peer);
  const named = [...document.peers, ...disabled].flatMap(({ name, publicKeyText }) =>
    name === undefined ? [] : [[publicKeyText, printable(name)] as const],
  );
  return new Map(named);
}

function diffInterface(
  document: ConfigDocument,
  device: DeviceState,
  { fwmark }: DiffContext,
  diff: DiffBuilder,
): void {
  const section = document.interfaceSection;
  const privateKey = section?.privateKey;
  if (privateKey !== undefined && !isZeroKey(privateKey)) clamp(privateKey); // as devices store keys
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
  diff.isMarkKnown = fwmark !== undefined;
  if (fwmark !== undefined && fwmark !== device.fwmark) {
    diff.set('fwmark', fwmark, device.fwmark);
    diff.note(`~ fwmark ${device.fwmark || 'off'} → ${fwmark || 'off'}`);
  }
}

/** @returns The endpoint to set; `undefined` if the device's current endpoint may stay. */
async function changedEndpoint(
  key: string,
  { endpoint }: WantedPeer,
  peer: PeerState | undefined,
  { endpointsBefore, names }: DiffContext,
): Promise<Endpoint | undefined> {
  if (endpoint === undefined) return undefined;
  const isKnown = peer?.endpoint !== undefined && endpointsBefore !== undefined;
  if (isKnown && endpointsBefore[key] === formatConfigEndpoint(endpoint)) return undefined;

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
  readonly allowedIps: IpPrefix[] = [];
  isMarkKnown = false;
  readonly #names: ReadonlyMap<string, string>;

  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
  }

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
    this.note(`- peer ${this.#label(key)}`);
  }

  addPeer(key: string, wish: WantedPeer, endpoint: Endpoint | undefined): void {
    this.#change.push({
      ...emptyChange(wish.publicKey),
      ...(wish.presharedKey && { presharedKey: wish.presharedKey }),
      ...(endpoint && { endpoint }),
      persistentKeepaliveSeconds: wish.persistentKeepaliveSeconds,
      replaceAllowedIps: true,
      allowedIps: additions(wish.allowedIps.values()),
    });
    this.#inverse.push({ ...emptyChange(wish.publicKey), isRemoval: true });
    this.note(`+ peer ${this.#label(key)} ${textOf(wish)}`);
  }

  changePeer(
    key: string,
    peer: PeerState,
    wish: WantedPeer,
    endpoint: Endpoint | undefined,
    keepsPresharedKey: boolean,
  ): void {
    const change: Writable<PeerChange> = { ...emptyChange(peer.publicKey), isUpdateOnly: true };
    const notes: string[] = [];
    if (endpoint !== undefined) {
      change.endpoint = endpoint;
      notes.push('endpoint');
    }
    const isKeySame = isSameBytes(wish.presharedKey ?? NO_KEY, peer.presharedKey);
    if (!isKeySame && !(keepsPresharedKey && wish.presharedKey === undefined)) {
      change.presharedKey = wish.presharedKey?.slice() ?? NO_KEY.slice();
      notes.push('preshared key');
    }
    const keepalive = wish.persistentKeepaliveSeconds;
    if (keepalive !== peer.persistentKeepaliveSeconds) {
      change.persistentKeepaliveSeconds = keepalive;
      notes.push(`persistent keepalive ${keepalive || 'off'}`);
    }
    if (!isSameSet([...wish.allowedIps.values()], [...peer.allowedIps])) {
      change.replaceAllowedIps = true;
      change.allowedIps = additions(wish.allowedIps.values());
      notes.push(`allowed IPs ${textOf(wish)}`);
    }
    wish.presharedKey?.fill(0);
    if (notes.length === 0) return;
    this.#change.push(change);
    this.#inverse.push({ ...restoreChange(peer), isUpdateOnly: true });
    this.note(`~ peer ${this.#label(key)} ${notes.join(', ')}`);
  }

  #label(key: string): string {
    const name = this.#names.get(key);
    return name === undefined ? key : `${name} (${key})`;
  }
}

/** Returns a change without content. */
function emptyChange(publicKey: Uint8Array): PeerChange {
  return { publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] };
}

/** Returns the change that restores a peer. */
function restoreChange(peer: PeerState): PeerChange {
  return {
    ...emptyChange(peer.publicKey),
    presharedKey: peer.presharedKey.slice(),
    ...(peer.endpoint === undefined ? {} : { endpoint: peer.endpoint }),
    persistentKeepaliveSeconds: peer.persistentKeepaliveSeconds,
    replaceAllowedIps: true,
    allowedIps: additions(peer.allowedIps),
  };
}

function additions(prefixes: Iterable<IpPrefix>): AllowedIpChange[] {
  return [...prefixes].map((prefix) => ({ ...prefix, isRemoval: false }));
}

function textOf({ allowedIps }: WantedPeer): string {
  return allowedIps.size === 0 ? '(none)' : [...allowedIps.keys()].join(', ');
}

function isSameSet(a: readonly IpPrefix[], b: readonly IpPrefix[]): boolean {
  const all = new Set(a.map(formatIpPrefix));
  return all.size === new Set(b.map(formatIpPrefix)).size && b.every((prefix) => all.has(formatIpPrefix(prefix)));
}

/** Compares two keys of the user's own, for which constant time is unnecessary. */
function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

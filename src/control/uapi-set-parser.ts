import type { AllowedIpChange, DeviceChange, PeerChange } from '../core/configuration.js';
import { MAX_PEERS } from '../core/constants.js';
import { Errno, type UapiRefusal } from './uapi-errno.js';
import { UapiValue } from './uapi-value.js';
import type { ZoneNames } from './zone-names.js';

const EQUALS = 0x3d;
const MAX_U16 = 0xffff;
const MAX_U32 = 0xffff_ffff;
/** A full device can be emptied and filled again by one request. */
const MAX_PEER_BLOCKS = 2 * MAX_PEERS;
/** A bound on the memory of one request: some 150 bytes for each allowed IP. */
const MAX_ALLOWED_IPS = 2 ** 20;

const DEVICE_KEYS: ReadonlySet<string> = new Set(['private_key', 'listen_port', 'fwmark', 'replace_peers']);
const PEER_KEYS: ReadonlySet<string> = new Set([
  'remove',
  'update_only',
  'preshared_key',
  'endpoint',
  'persistent_keepalive_interval',
  'replace_allowed_ips',
  'allowed_ip',
  'protocol_version',
]);

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type DeviceLines = Omit<Writable<DeviceChange>, 'peers'>;
type PeerBlock = Omit<Writable<PeerChange>, 'allowedIps'> & { allowedIps: AllowedIpChange[] };

/**
 * Reads the body of a `set`, line by line, into one `DeviceChange`.
 *
 * Nothing is applied before the whole text was parsed. Lines of the device come first; the first
 * `public_key` ends them, and every further `public_key` starts another peer. Within a peer's block
 * `replace_allowed_ips` discards the `allowed_ip` lines before it, and `remove` and `update_only` count
 * for the whole block wherever they stand.
 *
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol
 */
export class SetParser {
  readonly #zones: ZoneNames;
  readonly #device: DeviceLines = { replacePeers: false };
  readonly #peers: PeerBlock[] = [];
  #allowedIpCount = 0;

  constructor(zones: ZoneNames) {
    this.#zones = zones;
  }

  /** Reads the line `bytes[start…end)`, without its newline. @returns The reason for a refusal, or `undefined`. */
  readLine(bytes: Buffer, start: number, end: number): UapiRefusal | undefined {
    const equals = bytes.subarray(start, end).indexOf(EQUALS);
    if (equals < 0) return { errno: Errno.Protocol, key: '', reason: 'a line without "="' };

    const key = bytes.toString('latin1', start, start + equals);
    const value = new UapiValue(bytes, start + equals + 1, end);
    const peer = this.#peers.at(-1);
    if (key === 'public_key') this.#startPeer(value);
    else if (peer === undefined) this.#readDeviceLine(key, value);
    else this.#readPeerLine(peer, key, value);
    if (value.refusal === undefined) return undefined;
    // An unknown key may be anything, even a secret.
    const isKnown = key === 'public_key' || (peer === undefined ? DEVICE_KEYS : PEER_KEYS).has(key);
    return { errno: Errno.Invalid, key: isKnown ? key : '', reason: value.refusal };
  }

  /** @returns The change. Its keys belong to the parser: `clear` wipes them. */
  finish(): DeviceChange {
    return { ...this.#device, peers: this.#peers };
  }

  /** Wipes the secret keys. Must be called once the change is applied or refused. */
  clear(): void {
    this.#device.privateKey?.fill(0);
    for (const peer of this.#peers) peer.presharedKey?.fill(0);
    this.#peers.length = 0;
  }

  #startPeer(value: UapiValue): void {
    const publicKey = value.key();
    if (this.#peers.length >= MAX_PEER_BLOCKS) value.refuse(`more than ${MAX_PEER_BLOCKS} peers in one request`);
    this.#peers.push({ publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] });
  }

  #readDeviceLine(key: string, value: UapiValue): void {
    const device = this.#device;
    switch (key) {
      case 'private_key':
        device.privateKey?.fill(0);
        device.privateKey = clampUnlessZero(value.key());
        break;
      case 'listen_port':
        device.listenPort = value.number(MAX_U16);
        break;
      case 'fwmark':
        device.fwmark = value.number(MAX_U32);
        break;
      case 'replace_peers':
        device.replacePeers = value.isTrue();
        break;
      default:
        value.refuse(PEER_KEYS.has(key) ? `${key} has to stand after a public_key` : 'an unknown key');
    }
  }

  #readPeerLine(peer: PeerBlock, key: string, value: UapiValue): void {
    switch (key) {
      case 'remove':
        peer.isRemoval = value.isTrue();
        break;
      case 'update_only':
        peer.isUpdateOnly = value.isTrue();
        break;
      case 'preshared_key':
        peer.presharedKey?.fill(0);
        peer.presharedKey = value.key();
        break;
      case 'endpoint': {
        const endpoint = value.endpoint(this.#zones);
        if (endpoint !== undefined) peer.endpoint = endpoint;
        break;
      }
      case 'persistent_keepalive_interval':
        peer.persistentKeepaliveSeconds = value.number(MAX_U16);
        break;
      case 'replace_allowed_ips':
        peer.replaceAllowedIps = value.isTrue();
        peer.allowedIps.length = 0;
        break;
      case 'allowed_ip':
        this.#addAllowedIp(peer, value);
        break;
      case 'protocol_version':
        if (value.text !== '1') value.refuse('not 1, the only version');
        break;
      default:
        value.refuse(DEVICE_KEYS.has(key) ? `${key} has to stand before the first public_key` : 'an unknown key');
    }
  }

  #addAllowedIp(peer: PeerBlock, value: UapiValue): void {
    const change = value.allowedIp();
    if (++this.#allowedIpCount > MAX_ALLOWED_IPS)
      value.refuse(`more than ${MAX_ALLOWED_IPS} allowed IPs in one request`);
    if (change !== undefined) peer.allowedIps.push(change);
  }
}

/** Turns random bytes into a private key (RFC 7748 §5). Zeros are kept: they mean "no key". */
function clampUnlessZero(key: Uint8Array): Uint8Array {
  if (key.every((byte) => byte === 0)) return key;
  key[0]! &= 248;
  key[31] = (key[31]! & 127) | 64;
  return key;
}

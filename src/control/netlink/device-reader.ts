import { formatEndpoint } from '../endpoint-text.js';
import { formatIpPrefix } from '../ip-text.js';
import { newDeviceDraft, newPeerDraft, type PeerDraft, type ReportedDevice } from '../reported-device.js';
import type { ZoneNames } from '../zone-names.js';
import { type Attribute, readAttributes, readU8, readU16, readU32, readU64 } from './attributes.js';
import { IS_LITTLE_ENDIAN, viewOf } from './byte-order.js';
import { ALLOWED_IP, DEVICE, KEY_BYTES, PEER } from './device-attributes.js';
import { GENERIC_HEADER_BYTES } from './generic-family.js';
import { FAMILY_IPV4, FAMILY_IPV6, readSocketAddress } from './socket-address.js';

/** A time is seconds and nanoseconds, 64 bits each. */
const TIME_BYTES = 16;
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [FAMILY_IPV4, 4],
  [FAMILY_IPV6, 16],
]);

/**
 * Joins the messages in which the kernel describes a device. A peer that did not fit into one message continues in
 * the next message: the same key again, and more allowed IPs.
 */
export class DeviceReader {
  readonly #zones: ZoneNames;
  readonly #device = newDeviceDraft();

  constructor(zones: ZoneNames) {
    this.#zones = zones;
  }

  /** The device that the messages describe. The caller clears its secret keys. */
  get device(): ReportedDevice {
    return this.#device;
  }

  /** Discards the messages that were read. */
  clear(): void {
    this.#device.privateKey?.fill(0);
    for (const { presharedKey } of this.#device.peers) presharedKey?.fill(0);
    this.#device.peers.length = 0;
  }

  /** Reads a message. @returns `false` if the message is malformed. Unknown attributes are skipped. */
  read(payload: Uint8Array): boolean {
    const attributes = readAttributes(payload.subarray(GENERIC_HEADER_BYTES));
    return attributes?.every((attribute) => this.#readAttribute(attribute)) ?? false;
  }

  #readAttribute(attribute: Attribute): boolean {
    const device = this.#device;
    switch (attribute.type) {
      case DEVICE.privateKey:
        device.privateKey?.fill(0);
        device.privateKey = copySecret(attribute.value);
        return attribute.value.length === KEY_BYTES;
      case DEVICE.listenPort:
        return isRead(readU16(attribute), (port) => {
          device.listenPort = port;
        });
      case DEVICE.fwmark:
        return isRead(readU32(attribute), (mark) => {
          device.fwmark = mark;
        });
      case DEVICE.peers:
        return readAttributes(attribute.value)?.every(({ value }) => this.#readPeer(value)) ?? false;
      default:
        return true;
    }
  }

  #readPeer(bytes: Uint8Array): boolean {
    const attributes = readAttributes(bytes);
    const key = attributes?.find(({ type }) => type === PEER.publicKey)?.value;
    if (attributes === undefined || key?.length !== KEY_BYTES) return false;
    const last = this.#device.peers.at(-1);
    const peer = last !== undefined && Buffer.compare(last.publicKey, key) === 0 ? last : newPeerDraft(key.slice());
    if (peer !== last) this.#device.peers.push(peer);
    return attributes.every((attribute) => readPeerAttribute(peer, attribute, this.#zones));
  }
}

function readPeerAttribute(peer: PeerDraft, attribute: Attribute, zones: ZoneNames): boolean {
  const { type, value } = attribute;
  switch (type) {
    case PEER.presharedKey:
      peer.presharedKey?.fill(0);
      peer.presharedKey = copySecret(value);
      return value.length === KEY_BYTES;
    case PEER.endpoint:
      return isRead(readSocketAddress(value), (endpoint) => {
        peer.endpoint = formatEndpoint(endpoint, zones);
      });
    case PEER.persistentKeepalive:
      return isRead(readU16(attribute), (seconds) => {
        peer.persistentKeepaliveSeconds = seconds;
      });
    case PEER.lastHandshakeTime:
      return readTime(peer, value);
    case PEER.rxBytes:
      return isRead(readU64(attribute), (bytes) => {
        peer.rxBytes = bytes;
      });
    case PEER.txBytes:
      return isRead(readU64(attribute), (bytes) => {
        peer.txBytes = bytes;
      });
    case PEER.allowedIps:
      return readAllowedIps(peer, value);
    default:
      return true;
  }
}

/** Reads a time. A time before 1970 comes from a wrong clock and counts as never. */
function readTime(peer: PeerDraft, value: Uint8Array): boolean {
  if (value.length !== TIME_BYTES) return false;
  const [seconds, nanoseconds] = [
    viewOf(value).getBigInt64(0, IS_LITTLE_ENDIAN),
    viewOf(value).getBigInt64(8, IS_LITTLE_ENDIAN),
  ];
  peer.lastHandshakeSeconds = seconds < 0n ? 0n : seconds;
  peer.lastHandshakeNanoseconds = nanoseconds < 0n ? 0n : nanoseconds;
  return true;
}

function readAllowedIps(peer: PeerDraft, bytes: Uint8Array): boolean {
  const attributes = readAttributes(bytes);
  if (attributes === undefined) return false;
  return attributes.every(({ value }) => isRead(readAllowedIp(value), (allowedIp) => peer.allowedIps.push(allowedIp)));
}

function readAllowedIp(bytes: Uint8Array): string | undefined {
  const attributes = readAttributes(bytes) ?? [];
  const of = (wanted: number) => attributes.find(({ type }) => type === wanted);
  const [family, address, length] = [of(ALLOWED_IP.family), of(ALLOWED_IP.address), of(ALLOWED_IP.prefixLength)];
  if (family === undefined || address === undefined || length === undefined) return undefined;
  const prefixLength = readU8(length) ?? Number.NaN;
  const isSound = ADDRESS_BYTES.get(readU16(family) ?? 0) === address.value.length;
  if (!isSound || !(prefixLength <= 8 * address.value.length)) return undefined;
  return formatIpPrefix({ address: address.value, prefixLength });
}

function isRead<T>(value: T | undefined, take: (value: T) => void): boolean {
  if (value === undefined) return false;
  take(value);
  return true;
}

/** Returns a copy; zeros stand for no key. */
function copySecret(value: Uint8Array): Uint8Array | undefined {
  return value.every((byte) => byte === 0) ? undefined : value.slice();
}

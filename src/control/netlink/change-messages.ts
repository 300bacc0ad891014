import type { AllowedIpChange, DeviceChange, PeerChange } from '../../core/configuration.js';
import { ATTRIBUTE_HEADER_BYTES, AttributeWriter, attributeBytes } from './attributes.js';
import { ALLOWED_IP, ALLOWED_IP_FLAG, DEVICE, DEVICE_FLAG, KEY_BYTES, PEER, PEER_FLAG } from './device-attributes.js';
import { FAMILY_IPV4, FAMILY_IPV6, formatSocketAddress, MAX_SOCKET_ADDRESS_BYTES } from './socket-address.js';

/** The list of peers is one attribute, whose length has 16 bits. */
export const MAX_MESSAGE_BYTES = 60_000;

const NUMBER_BYTES = attributeBytes(4);
const PEER_BYTES =
  ATTRIBUTE_HEADER_BYTES +
  2 * attributeBytes(KEY_BYTES) +
  2 * NUMBER_BYTES +
  attributeBytes(MAX_SOCKET_ADDRESS_BYTES) +
  ATTRIBUTE_HEADER_BYTES;
/** The length for IPv6, the longer of the two. */
const ALLOWED_IP_BYTES = ATTRIBUTE_HEADER_BYTES + attributeBytes(16) + 3 * NUMBER_BYTES;

/**
 * Writes a change of a device as the attributes of one or more messages, to be sent one after the other. The caller
 * clears each message: it may hold secret keys.
 *
 * A change of several messages is not atomic: when a message is refused, the kernel keeps the changes before it. The
 * port, the only cause for which a valid change is refused, goes first and alone.
 */
export function* formatChangeMessages(name: string, change: DeviceChange): Generator<Uint8Array, void, undefined> {
  const { listenPort, ...rest } = change;
  if (listenPort !== undefined) {
    const message = new Message(name);
    message.writer.u16(DEVICE.listenPort, listenPort);
    yield message.finish();
  }
  if (listenPort === undefined || !isEmpty(rest)) yield* formatRest(name, rest);
}

function isEmpty({ privateKey, fwmark, replacePeers, peers }: DeviceChange): boolean {
  return privateKey === undefined && fwmark === undefined && !replacePeers && peers.length === 0;
}

function* formatRest(name: string, change: DeviceChange): Generator<Uint8Array, void, undefined> {
  const { privateKey, fwmark, replacePeers, peers } = change;
  let message = new Message(name);
  if (replacePeers) message.writer.u32(DEVICE.flags, DEVICE_FLAG.replacePeers);
  if (privateKey !== undefined) message.writer.bytes(DEVICE.privateKey, privateKey);
  if (fwmark !== undefined) message.writer.u32(DEVICE.fwmark, fwmark);
  for (const peer of peers) {
    if (!message.hasRoomFor(PEER_BYTES)) {
      yield message.finish();
      message = new Message(name);
    }
    message.openPeer(peer);
    for (const allowedIp of peer.isRemoval ? [] : peer.allowedIps) {
      if (!message.hasRoomFor(ALLOWED_IP_BYTES)) {
        yield message.finish();
        message = new Message(name);
        message.openPeer(continuation(peer));
      }
      message.addAllowedIp(allowedIp);
    }
    message.closePeer();
  }
  yield message.finish();
}

/** The same peer in a later message, where more of its allowed IPs are. */
function continuation({ publicKey }: PeerChange): PeerChange {
  return { publicKey, isRemoval: false, isUpdateOnly: true, replaceAllowedIps: false, allowedIps: [] };
}

/** A message that is being written. */
class Message {
  readonly writer = new AttributeWriter(MAX_MESSAGE_BYTES);
  /** Attributes that are open: the list of peers, a peer, its allowed IPs. 0: not open. */
  #peers = 0;
  #peer = 0;
  #allowedIps = 0;

  constructor(name: string) {
    this.writer.text(DEVICE.name, name);
  }

  hasRoomFor(bytes: number): boolean {
    return this.writer.length + ATTRIBUTE_HEADER_BYTES + bytes <= MAX_MESSAGE_BYTES;
  }

  openPeer(peer: PeerChange): void {
    const { writer } = this;
    this.#peers ||= writer.open(DEVICE.peers);
    this.#peer = writer.open(0);
    writer.bytes(PEER.publicKey, peer.publicKey);
    const flags = flagsOf(peer);
    if (flags !== 0) writer.u32(PEER.flags, flags);
    if (peer.isRemoval) return;
    if (peer.presharedKey !== undefined) writer.bytes(PEER.presharedKey, peer.presharedKey);
    if (peer.endpoint !== undefined) writer.bytes(PEER.endpoint, formatSocketAddress(peer.endpoint));
    if (peer.persistentKeepaliveSeconds !== undefined)
      writer.u16(PEER.persistentKeepalive, peer.persistentKeepaliveSeconds);
  }

  addAllowedIp({ address, prefixLength, isRemoval }: AllowedIpChange): void {
    const { writer } = this;
    this.#allowedIps ||= writer.open(PEER.allowedIps);
    const opened = writer.open(0);
    writer.u16(ALLOWED_IP.family, address.length === 4 ? FAMILY_IPV4 : FAMILY_IPV6);
    writer.bytes(ALLOWED_IP.address, address);
    writer.u8(ALLOWED_IP.prefixLength, prefixLength);
    if (isRemoval) writer.u32(ALLOWED_IP.flags, ALLOWED_IP_FLAG.removeMe);
    writer.close(opened);
  }

  closePeer(): void {
    if (this.#allowedIps !== 0) this.writer.close(this.#allowedIps);
    if (this.#peer !== 0) this.writer.close(this.#peer);
    this.#allowedIps = this.#peer = 0;
  }

  finish(): Uint8Array {
    this.closePeer();
    if (this.#peers !== 0) this.writer.close(this.#peers);
    return this.writer.written;
  }
}

function flagsOf({ isRemoval, isUpdateOnly, replaceAllowedIps }: PeerChange): number {
  if (isRemoval) return PEER_FLAG.removeMe;
  return (replaceAllowedIps ? PEER_FLAG.replaceAllowedIps : 0) | (isUpdateOnly ? PEER_FLAG.updateOnly : 0);
}

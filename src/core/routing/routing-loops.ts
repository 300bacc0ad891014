import * as ipHeader from '../../wire/ip-header.js';
import { readInt32 } from '../../wire/little-endian.js';
import { MessageType } from '../../wire/messages.js';
import type { DeviceParts } from '../device-parts.js';
import type { LinkView } from '../link-state.js';
import type { Peer } from '../session/peer.js';
import type { Sessions } from '../session/sessions.js';

/** The lifetime of an entry about a carrier. Routes change, and stale entries must expire. */
const CARRIER_LIFETIME_MS = 5_000;
/** A depth of nested tunnels beyond any real configuration. */
const MAX_DEPTH = 16;

/**
 * Recognises our own outer datagrams when they come back through the TUN.
 *
 * Messages to peer A may travel inside the tunnel to peer B (onion routing). It is a loop when B's messages in turn
 * travel inside the tunnel to A, or A's messages inside A's own tunnel: each round would wrap them again, for ever.
 */
export class RoutingLoops {
  readonly #link: LinkView;
  readonly #sessions: Sessions;

  constructor({ link, sessions }: DeviceParts) {
    this.#link = link;
    this.#sessions = sessions;
  }

  /**
   * Tests whether sending the packet at `at` to `carrier` would close a loop.
   *
   * The packet must have passed `checkIpPacket`. Costs a comparison unless it is UDP from our own port.
   */
  wouldLoop(bytes: Uint8Array, at: number, carrier: Peer, nowMs: number): boolean {
    const udpAt = ipHeader.udpHeaderAt(bytes, at);
    if (udpAt < 0 || ipHeader.udpSourcePort(bytes, udpAt) !== this.#link.listenPort) return false;
    const end = at + ipHeader.packetBytes(bytes, at);
    const carried = this.#peerOfOwnMessage(bytes, udpAt + ipHeader.UDP_HEADER_BYTES, end);
    if (carried === undefined) return false;

    if (leadsTo(carrier, carried, nowMs)) return true;
    carried.carrier = carrier;
    carried.carriedMs = nowMs;
    return false;
  }

  /** Returns the peer that one of our own messages was sent to, recognised by its random index. */
  #peerOfOwnMessage(bytes: Uint8Array, at: number, end: number): Peer | undefined {
    if (end - at < 8) return undefined;
    const index = readInt32(bytes, at + 4);
    switch (readInt32(bytes, at)) {
      case MessageType.HandshakeInitiation:
      case MessageType.HandshakeResponse:
        return this.#sessions.peerAt(index);
      case MessageType.TransportData:
        return this.#sessions.peerAtRemote(index);
      default:
        return undefined;
    }
  }
}

/** Follows the chain of carriers from `from`, as far as its entries are known and fresh. */
function leadsTo(from: Peer, to: Peer, nowMs: number): boolean {
  let peer: Peer | undefined = from;
  for (let depth = 0; peer !== undefined && depth < MAX_DEPTH; depth++) {
    if (peer === to) return true;
    peer = nowMs - peer.carriedMs < CARRIER_LIFETIME_MS ? peer.carrier : undefined;
  }
  return false;
}
